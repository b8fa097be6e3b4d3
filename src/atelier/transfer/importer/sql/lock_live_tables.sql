SET LOCAL lock_timeout = '200ms';
LOCK TABLE atelier.webhooks, atelier.webhook_deliveries, atelier.webhook_keys,
    atelier.address_keys, atelier.daily_counts, atelier.imports,
    atelier.questions, atelier.answers, atelier.photos, atelier.question_documents,
    atelier.question_summaries, atelier.changes, atelier.search_products, atelier.search_texts
IN ACCESS EXCLUSIVE MODE
