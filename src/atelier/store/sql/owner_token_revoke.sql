UPDATE tokens SET revoked_at = coalesce(revoked_at, now()) WHERE name = $1 RETURNING revoked_at
