-- PostgreSQL's own counters stand beside those of the instance.
INSERT INTO instance_samples (
    instance, started_at, requests, errors, buckets, batches, batch_keys, waiting, connections,
    idle_connections, cpu_seconds, memory_bytes, version,
    clients, transactions, blocks_hit, blocks_read)
SELECT
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
    d.numbackends, d.xact_commit + d.xact_rollback, d.blks_hit, d.blks_read
FROM pg_stat_database d
WHERE d.datname = current_database()
