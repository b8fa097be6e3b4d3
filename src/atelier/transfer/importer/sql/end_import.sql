-- Without effect on a finished one.
UPDATE atelier.imports
SET updated_at = clock_timestamp(), finished_at = clock_timestamp(), state = $2, error = $3
WHERE id = $1 AND state = 'running'
