SELECT
    current_setting('server_version') AS version,
    CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END AS role,
    current_setting('max_connections')::int AS most_connections,
    d.numbackends AS clients,
    pg_database_size(d.datname) AS bytes,
    d.deadlocks
FROM pg_stat_database d
WHERE d.datname = current_database()
