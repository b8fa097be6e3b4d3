-- A key has the time of its post. It stays, or a retried request would post again; without its
-- digest nobody can test a guess of what was posted, and without its post the key leads nowhere.
-- $2: keys that contain the address are deleted.
WITH deleted AS (
    DELETE FROM idempotency_keys WHERE lower(key) LIKE $2 RETURNING key
),
cleared AS (
    UPDATE idempotency_keys
    SET fingerprint = '', post_id = NULL
    WHERE date_trunc('milliseconds', created_at) = ANY ($1) AND lower(key) NOT LIKE $2
    RETURNING key
)
SELECT (SELECT count(*) FROM deleted) + (SELECT count(*) FROM cleared)
