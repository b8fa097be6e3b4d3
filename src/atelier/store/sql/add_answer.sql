-- Adds an answer and its photos in the given order, unless its key ($6, expires after $8) or its
-- text ($9, cannot repeat within $10) is claimed, the client's daily quota ($11-$14) is used up, or a
-- moderation rule refuses it ($16, for judge_post; null without rules). Returns its id if it was added,
-- and the rule that decided; no row if the question does not exist.
-- STALE: the last change of the rules is not $15.
WITH allowed AS MATERIALIZED (
    SELECT id, product_id, CASE
        WHEN (SELECT max(id) FROM moderation_rules) IS DISTINCT FROM $15 THEN NULL
        WHEN $13::bytea IS NULL THEN true
        ELSE count_for_client($11, $12, $13, $14)
    END AS is_allowed
    FROM questions
    WHERE id = $1
),
claim AS MATERIALIZED (
    SELECT id AS question_id, product_id, CASE
        WHEN is_allowed IS NULL THEN 'STALE'
        WHEN is_allowed
            THEN claim_post(product_id, $6::text, $7::bytea, $8::interval, $9::bytea, $10::interval)
        ELSE 'LIMITED'
    END AS outcome
    FROM allowed
),
judged AS MATERIALIZED (
    SELECT question_id, product_id, outcome, CASE
        WHEN outcome = 'DONE' AND $16::jsonb IS NOT NULL THEN judge_post(product_id, $6, $9, $16)
    END AS rule
    FROM claim
),
answer AS (
    INSERT INTO answers (question_id, body, answerer_name, answerer_email)
    SELECT question_id, $2, $3, $4
    FROM judged
    WHERE outcome = 'DONE' AND rule ->> 'action' IS DISTINCT FROM 'refuse'
    RETURNING id
),
photo AS (
    INSERT INTO photos (answer_id, url)
    SELECT answer.id, new_photo.url
    FROM answer, unnest($5::text[]) WITH ORDINALITY AS new_photo (url, position)
    ORDER BY new_photo.position
)
SELECT
    CASE rule ->> 'action' WHEN 'refuse' THEN 'REFUSED' ELSE outcome END AS outcome,
    rule ->> 'name' AS rule,
    CASE WHEN $6 IS NOT NULL AND outcome = 'DONE'
        THEN remember_post($6, answer.id) ELSE answer.id
    END AS id,
    CASE WHEN rule ->> 'action' = 'hold'
        THEN record_hold('answer', answer.id, question_id, product_id, rule)
    END,
    CASE WHEN $13 IS NOT NULL AND outcome NOT IN ('LIMITED', 'STALE') AND answer.id IS NULL
        THEN uncount_for_client($11, $12, $13)
    END
FROM judged LEFT JOIN answer ON true
