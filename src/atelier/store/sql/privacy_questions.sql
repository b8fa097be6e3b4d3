SELECT
    id AS question_id,
    product_id,
    body,
    iso_date(date_written) AS date,
    asker_name AS name,
    asker_email AS email,
    helpful AS helpfulness,
    reported
FROM questions
WHERE id = ANY ($1)
ORDER BY id
