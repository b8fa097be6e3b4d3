-- When an answer was written, and the ids of its photos; no row if it was deleted.
SELECT
    iso_date(date_written) AS created_at,
    array(SELECT p.id FROM photos p WHERE p.answer_id = a.id ORDER BY p.id) AS photos
FROM answers a
WHERE id = $1
