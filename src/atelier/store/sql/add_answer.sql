-- An answer and its photos in the order given; no row where the question does not exist.
WITH answer AS (
    INSERT INTO answers (question_id, body, answerer_name, answerer_email)
    SELECT id, $2, $3, $4 FROM questions WHERE id = $1
    RETURNING id
),
photo AS (
    INSERT INTO photos (answer_id, url)
    SELECT answer.id, given.url
    FROM answer, unnest($5::text[]) WITH ORDINALITY AS given (url, position)
    ORDER BY given.position
)
SELECT id FROM answer
