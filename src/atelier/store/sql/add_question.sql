-- Adds a question; returns no row if its key ($5) is claimed and has not expired ($7).
WITH claimed AS (
    INSERT INTO idempotency_keys AS k (key, fingerprint)
    SELECT $5::text, $6::bytea WHERE $5::text IS NOT NULL
    ON CONFLICT (key) DO UPDATE
    SET fingerprint = excluded.fingerprint, created_at = excluded.created_at
    WHERE k.created_at < now() - $7::interval
    RETURNING k.key
)
INSERT INTO questions (product_id, body, asker_name, asker_email)
SELECT $1, $2, $3, $4
WHERE $5::text IS NULL OR EXISTS (SELECT 1 FROM claimed)
RETURNING id
