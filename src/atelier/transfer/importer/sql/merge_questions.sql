INSERT INTO questions (
    id, product_id, body, date_written, asker_name, asker_email, reported, helpful)
SELECT id, product_id, body, date_written, asker_name, asker_email, reported, helpful
FROM atelier_import.questions s
WHERE NOT EXISTS (SELECT FROM questions q WHERE q.id = s.id)
ORDER BY id
