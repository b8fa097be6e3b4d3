-- Adds a question; returns no id if its key ($5) is claimed and has not expired ($7), or if the
-- client's daily quota ($8-$11) is used up.
WITH allowed AS MATERIALIZED (
    SELECT CASE
        WHEN $10::bytea IS NULL THEN true ELSE count_for_client($8, $9, $10, $11)
    END AS is_allowed
),
claimed AS (
    INSERT INTO idempotency_keys AS k (key, fingerprint)
    SELECT $5::text, $6::bytea FROM allowed WHERE is_allowed AND $5::text IS NOT NULL
    ON CONFLICT (key) DO UPDATE
    SET fingerprint = excluded.fingerprint, created_at = excluded.created_at
    WHERE k.created_at < now() - $7::interval
    RETURNING k.key
),
question AS (
    INSERT INTO questions (product_id, body, asker_name, asker_email)
    SELECT $1, $2, $3, $4
    FROM allowed
    WHERE is_allowed AND ($5::text IS NULL OR EXISTS (SELECT 1 FROM claimed))
    RETURNING id
)
SELECT
    question.id,
    allowed.is_allowed,
    CASE WHEN $10 IS NOT NULL AND is_allowed AND question.id IS NULL THEN
        uncount_for_client($8, $9, $10)
    END
FROM allowed LEFT JOIN question ON true
