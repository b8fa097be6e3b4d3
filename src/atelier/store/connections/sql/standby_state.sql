-- The LSNs that a standby has replayed and received, and the latest timeline on its disk.
SELECT
    pg_is_in_recovery() AS in_recovery,
    pg_last_wal_replay_lsn() AS replayed,
    pg_last_wal_receive_lsn() AS received,
    greatest(
        (pg_control_checkpoint()).timeline_id,
        (pg_control_recovery()).min_recovery_end_timeline) AS timeline
