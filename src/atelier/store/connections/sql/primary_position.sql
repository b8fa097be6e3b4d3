-- How far the primary's log reaches on its disk, and on which timeline. A commit that anybody
-- was told of lies before it.
SELECT ('x' || left(pg_walfile_name(lsn), 8))::bit(32)::int AS timeline, lsn
FROM pg_current_wal_flush_lsn() AS lsn
