-- The answers of a slice of questions, those of one question beside each other: whoever shows
-- them finds them on one page.
INSERT INTO answers (
    id, question_id, body, date_written, answerer_name, answerer_email, reported, helpful)
SELECT id, question_id, body, date_written, answerer_name, answerer_email, reported, helpful
FROM answers_file
WHERE question_id BETWEEN $1 AND $2
ORDER BY question_id, id
