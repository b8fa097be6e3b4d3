SET LOCAL lock_timeout = '200ms';
LOCK TABLE atelier.questions, atelier.answers, atelier.photos, atelier.question_documents,
    atelier.address_keys, atelier.daily_counts
IN ACCESS EXCLUSIVE MODE
