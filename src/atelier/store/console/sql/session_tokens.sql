SELECT name, scope, state, created_at, expires_at, revoked_at, created_by, revoked_by
FROM session_tokens($1)
