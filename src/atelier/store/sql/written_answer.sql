-- When an answer was written, the ids of its photos, and its status; no row if it was deleted.
SELECT
    iso_date(date_written) AS created_at,
    array(SELECT p.id FROM photos p WHERE p.answer_id = a.id ORDER BY p.id) AS photos,
    post_status('answer', id) AS status
FROM answers a
WHERE id = $1
