-- Only the newest 100 are kept. The caller holds the lock of imports: no other one is running.
WITH interrupted AS (
    UPDATE atelier.imports SET state = 'interrupted' WHERE state = 'running'
),
deleted AS (
    DELETE FROM atelier.imports
    WHERE id <= (SELECT id FROM atelier.imports ORDER BY id DESC OFFSET 99 LIMIT 1)
      AND state <> 'running'
)
INSERT INTO atelier.imports (host, folder, rejects_file, is_replacing) VALUES ($1, $2, $3, $4)
RETURNING id
