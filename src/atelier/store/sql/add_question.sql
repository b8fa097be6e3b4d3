-- Adds a question, unless its key ($5, expires after $7) or its text ($8, cannot repeat within $9)
-- is claimed, the client's daily quota ($10-$13) is used up, or a moderation rule refuses it ($15, for
-- judge_post; null without rules). Returns its id if it was added, and the rule that decided.
-- STALE: the last change of the rules is not $14.
WITH allowed AS MATERIALIZED (
    SELECT CASE
        WHEN (SELECT max(id) FROM moderation_rules) IS DISTINCT FROM $14 THEN NULL
        WHEN $12::bytea IS NULL THEN true
        ELSE count_for_client($10, $11, $12, $13)
    END AS is_allowed
),
claim AS MATERIALIZED (
    SELECT CASE
        WHEN is_allowed IS NULL THEN 'STALE'
        WHEN is_allowed
            THEN claim_post($1, $5::text, $6::bytea, $7::interval, $8::bytea, $9::interval)
        ELSE 'LIMITED'
    END AS outcome
    FROM allowed
),
judged AS MATERIALIZED (
    SELECT outcome, CASE
        WHEN outcome = 'DONE' AND $15::jsonb IS NOT NULL THEN judge_post($1, $5, $8, $15)
    END AS rule
    FROM claim
),
question AS (
    INSERT INTO questions (product_id, body, asker_name, asker_email)
    SELECT $1, $2, $3, $4
    FROM judged
    WHERE outcome = 'DONE' AND rule ->> 'action' IS DISTINCT FROM 'refuse'
    RETURNING id
)
SELECT
    CASE rule ->> 'action' WHEN 'refuse' THEN 'REFUSED' ELSE outcome END AS outcome,
    rule ->> 'name' AS rule,
    CASE WHEN $5 IS NOT NULL AND outcome = 'DONE'
        THEN remember_post($5, question.id) ELSE question.id
    END AS id,
    CASE WHEN rule ->> 'action' = 'hold'
        THEN record_hold('question', question.id, question.id, $1, rule)
    END,
    CASE WHEN $12 IS NOT NULL AND outcome NOT IN ('LIMITED', 'STALE') AND question.id IS NULL
        THEN uncount_for_client($10, $11, $12)
    END
FROM judged LEFT JOIN question ON true
