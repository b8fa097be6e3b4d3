-- When a question was written, and its status; no row if it was deleted.
SELECT
    iso_date(date_written) AS created_at,
    '{}'::bigint[] AS photos,
    post_status('question', id) AS status
FROM questions
WHERE id = $1
