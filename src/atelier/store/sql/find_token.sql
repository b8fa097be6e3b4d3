SELECT name, scope, state, iso_date(expires_at) AS expires_at FROM find_token($1)
