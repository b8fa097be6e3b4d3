SELECT
    current_setting('server_version') AS version,
    CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END AS role,
    current_setting('max_connections')::int AS most_connections,
    count(*) FILTER (WHERE state = 'active') AS active,
    count(*) FILTER (WHERE state <> 'active') AS idle
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
