INSERT INTO photos (id, answer_id, url)
SELECT id, answer_id, url
FROM atelier_import.photos s
WHERE NOT EXISTS (SELECT FROM photos p WHERE p.id = s.id)
ORDER BY answer_id, id
