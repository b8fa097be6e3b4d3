INSERT INTO tokens (name, scope, hash, expires_at)
VALUES ($1, $2, $3, now() + $4::interval)
ON CONFLICT (name) DO NOTHING
RETURNING id
