SELECT
    id AS question_id,
    product_id,
    body,
    iso_date(date_written) AS date,
    asker_name AS name,
    asker_email AS email,
    helpful AS helpfulness,
    reported,
    array(
        SELECT t.old_body FROM edited_texts t
        WHERE t.target = 'question' AND t.target_id = questions.id
        ORDER BY t.decision_id) AS old_texts
FROM questions
WHERE id = ANY ($1)
ORDER BY id
