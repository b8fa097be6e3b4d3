-- replay_lag is null if a standby has nothing to replay.
SELECT
    coalesce(nullif(application_name, ''), client_addr::text, pid::text) AS name,
    state,
    coalesce(extract(epoch FROM replay_lag), 0)::float8 AS lag_seconds,
    coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn), 0)::float8 AS lag_bytes
FROM pg_stat_replication
WHERE NOT pg_is_in_recovery()
ORDER BY name
