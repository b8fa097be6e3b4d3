-- The last $2 imports, the newest first. $1: the key of the advisory lock that a running one holds;
-- one that was killed holds it no more.
SELECT
    i.id,
    i.started_at,
    i.updated_at,
    i.finished_at,
    i.host,
    i.folder,
    i.rejects_file,
    i.is_replacing,
    CASE WHEN i.state = 'running' AND NOT l.is_held THEN 'interrupted' ELSE i.state END AS state,
    i.error,
    i.phase,
    i.done,
    i.total,
    i.unit,
    i.rejected,
    i.rejects,
    i.files
FROM imports i
CROSS JOIN (
    SELECT EXISTS (
        SELECT FROM pg_locks
        WHERE locktype = 'advisory' AND granted AND objsubid = 1
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND (classid::bigint << 32) + objid::bigint = $1::bigint) AS is_held
) AS l
ORDER BY i.id DESC
LIMIT $2
