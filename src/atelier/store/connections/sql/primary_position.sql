-- The primary's timeline and the end of its flushed WAL. Every acknowledged commit is before it.
SELECT ('x' || left(pg_walfile_name(lsn), 8))::bit(32)::int AS timeline, lsn
FROM pg_current_wal_flush_lsn() AS lsn
