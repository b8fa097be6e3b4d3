-- Adds a question, unless its key ($5, expires after $7) or its text ($8, cannot repeat within $9)
-- is claimed, or the client's daily quota ($10-$13) is used up. Returns its id if it was added.
WITH allowed AS MATERIALIZED (
    SELECT CASE
        WHEN $12::bytea IS NULL THEN true ELSE count_for_client($10, $11, $12, $13)
    END AS is_allowed
),
claim AS MATERIALIZED (
    SELECT CASE
        WHEN is_allowed
            THEN claim_post($1, $5::text, $6::bytea, $7::interval, $8::bytea, $9::interval)
        ELSE 'LIMITED'
    END AS outcome
    FROM allowed
),
question AS (
    INSERT INTO questions (product_id, body, asker_name, asker_email)
    SELECT $1, $2, $3, $4 FROM claim WHERE outcome = 'DONE'
    RETURNING id
)
SELECT
    outcome,
    CASE WHEN $5 IS NOT NULL AND outcome = 'DONE'
        THEN remember_post($5, question.id) ELSE question.id
    END AS id,
    CASE WHEN $12 IS NOT NULL AND outcome NOT IN ('DONE', 'LIMITED') THEN
        uncount_for_client($10, $11, $12)
    END
FROM claim LEFT JOIN question ON true
