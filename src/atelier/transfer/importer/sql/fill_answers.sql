-- The answers of a partition of questions, clustered by question, so that reading the answers of
-- a question touches few pages.
INSERT INTO answers (
    id, question_id, body, date_written, answerer_name, answerer_email, reported, helpful)
SELECT id, question_id, body, date_written, answerer_name, answerer_email, reported, helpful
FROM answers_file
WHERE question_id BETWEEN $1 AND $2
ORDER BY question_id, id
