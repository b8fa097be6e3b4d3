-- When a question was written; no row if it was deleted.
SELECT iso_date(date_written) AS created_at, '{}'::bigint[] AS photos FROM questions WHERE id = $1
