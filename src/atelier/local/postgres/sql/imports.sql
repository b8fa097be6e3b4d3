SELECT
    coalesce(relid::regclass::text, '') AS target,
    bytes_processed::float8 AS bytes,
    tuples_processed::float8 AS rows
FROM pg_stat_progress_copy
WHERE command = 'COPY FROM'
