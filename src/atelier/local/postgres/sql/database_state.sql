-- PostgreSQL reserves connections for superusers and, from 16 on, for other roles.
SELECT
    current_setting('server_version') AS version,
    CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END AS role,
    current_setting('max_connections')::int AS most_connections,
    least(
        current_setting('max_connections')::int
            - current_setting('superuser_reserved_connections')::int
            - coalesce(current_setting('reserved_connections', true), '0')::int,
        (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user),
        (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database())
    ) AS allowed_connections,
    count(*) FILTER (WHERE state = 'active') AS active,
    count(*) FILTER (WHERE state <> 'active') AS idle
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
