INSERT INTO photos (id, answer_id, url)
SELECT id, answer_id, url
FROM photos_file
ORDER BY answer_id, id
