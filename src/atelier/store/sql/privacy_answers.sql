SELECT
    a.id AS answer_id,
    a.question_id,
    q.product_id,
    a.body,
    iso_date(a.date_written) AS date,
    a.answerer_name AS name,
    a.answerer_email AS email,
    a.helpful AS helpfulness,
    a.reported,
    array(SELECT p.url FROM photos p WHERE p.answer_id = a.id ORDER BY p.id) AS photos,
    array(
        SELECT t.old_body FROM edited_texts t
        WHERE t.target = 'answer' AND t.target_id = a.id
        ORDER BY t.decision_id) AS old_texts
FROM answers a
JOIN questions q ON q.id = a.question_id
WHERE a.id = ANY ($1)
ORDER BY a.id
