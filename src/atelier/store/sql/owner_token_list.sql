SELECT
    name,
    scope,
    token_state(revoked_at, expires_at) AS state,
    created_at,
    expires_at,
    revoked_at
FROM tokens
ORDER BY name
