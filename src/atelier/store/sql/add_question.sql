-- Adds a question, unless its key ($5, expires after $7) or its text ($8, cannot repeat within $9)
-- is claimed.
WITH claim AS MATERIALIZED (
    SELECT claim_post($1, $5::text, $6::bytea, $7::interval, $8::bytea, $9::interval) AS outcome
),
question AS (
    INSERT INTO questions (product_id, body, asker_name, asker_email)
    SELECT $1, $2, $3, $4 FROM claim WHERE outcome = 'DONE'
)
SELECT outcome FROM claim
