-- How far a standby has replayed, then received, and the last timeline its disk tells of.
SELECT
    pg_is_in_recovery() AS follows,
    pg_last_wal_replay_lsn() AS replayed,
    pg_last_wal_receive_lsn() AS received,
    greatest(
        (pg_control_checkpoint()).timeline_id,
        (pg_control_recovery()).min_recovery_end_timeline) AS timeline
