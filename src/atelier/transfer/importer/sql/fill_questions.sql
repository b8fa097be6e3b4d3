INSERT INTO questions (
    id, product_id, body, date_written, asker_name, asker_email, reported, helpful)
SELECT id, product_id, body, date_written, asker_name, asker_email, reported, helpful
FROM questions_file
ORDER BY id
