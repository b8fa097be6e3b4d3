INSERT INTO answers (
    id, question_id, body, date_written, answerer_name, answerer_email, reported, helpful)
SELECT id, question_id, body, date_written, answerer_name, answerer_email, reported, helpful
FROM atelier_import.answers s
WHERE NOT EXISTS (SELECT FROM answers a WHERE a.id = s.id)
ORDER BY question_id, id
