UPDATE atelier.imports
SET updated_at = clock_timestamp(), phase = $2, done = $3, total = $4, unit = $5,
    rejected = $6, rejects = $7
WHERE id = $1 AND state = 'running'
