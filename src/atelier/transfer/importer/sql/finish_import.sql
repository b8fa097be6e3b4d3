UPDATE atelier.imports
SET updated_at = clock_timestamp(), finished_at = clock_timestamp(), state = 'finished',
    rejected = $2, rejects = $3, files = $4
WHERE id = $1
