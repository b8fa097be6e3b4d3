-- Adds an answer and its photos in the given order, unless its key ($6, expires after $8) or its
-- text ($9, cannot repeat within $10) is claimed, or the client's daily quota ($11-$14) is used up;
-- returns its id if it was added, and no row if the question does not exist.
WITH allowed AS MATERIALIZED (
    SELECT id, product_id, CASE
        WHEN $13::bytea IS NULL THEN true ELSE count_for_client($11, $12, $13, $14)
    END AS is_allowed
    FROM questions
    WHERE id = $1
),
claim AS MATERIALIZED (
    SELECT id AS question_id, CASE
        WHEN is_allowed
            THEN claim_post(product_id, $6::text, $7::bytea, $8::interval, $9::bytea, $10::interval)
        ELSE 'LIMITED'
    END AS outcome
    FROM allowed
),
answer AS (
    INSERT INTO answers (question_id, body, answerer_name, answerer_email)
    SELECT question_id, $2, $3, $4 FROM claim WHERE outcome = 'DONE'
    RETURNING id
),
photo AS (
    INSERT INTO photos (answer_id, url)
    SELECT answer.id, new_photo.url
    FROM answer, unnest($5::text[]) WITH ORDINALITY AS new_photo (url, position)
    ORDER BY new_photo.position
)
SELECT
    outcome,
    CASE WHEN $6 IS NOT NULL AND outcome = 'DONE'
        THEN remember_post($6, answer.id) ELSE answer.id
    END AS id,
    CASE WHEN $13 IS NOT NULL AND outcome NOT IN ('DONE', 'LIMITED') THEN
        uncount_for_client($11, $12, $13)
    END
FROM claim LEFT JOIN answer ON true
