-- A key has the time of its post. It stays, for without it a repeated request would post anew;
-- without its digest nobody can test a guess of what was posted. $2: keys that hold the address.
WITH deleted AS (
    DELETE FROM idempotency_keys WHERE lower(key) LIKE $2 RETURNING key
),
blanked AS (
    UPDATE idempotency_keys
    SET fingerprint = ''
    WHERE date_trunc('milliseconds', created_at) = ANY ($1) AND lower(key) NOT LIKE $2
    RETURNING key
)
SELECT (SELECT count(*) FROM deleted) + (SELECT count(*) FROM blanked)
