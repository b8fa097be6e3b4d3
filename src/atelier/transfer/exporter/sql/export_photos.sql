SELECT id, answer_id, url
FROM photos
ORDER BY id
