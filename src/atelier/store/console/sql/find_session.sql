SELECT name, scope, expires_at FROM find_session($1)
