INSERT INTO erasures (done_by, mode, keys) VALUES ($1, $2, $3) RETURNING id
