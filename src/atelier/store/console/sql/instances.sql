-- The processes that reported after $1: their last sample, and what changed within $2 before it.
WITH last AS (
    SELECT DISTINCT ON (instance, started_at) *
    FROM instance_samples
    WHERE at > $1
    ORDER BY instance, started_at, at DESC
)
SELECT
    l.instance,
    l.version,
    iso_date(l.started_at) AS started_at,
    extract(epoch FROM now() - l.started_at)::float8 AS uptime_seconds,
    extract(epoch FROM now() - l.at)::float8 AS age_seconds,
    ((l.requests - b.requests) / b.seconds)::float8 AS requests,
    ((l.errors - b.errors) / b.seconds)::float8 AS errors,
    (SELECT array_agg(u.count - u.before ORDER BY u.place)
    FROM unnest(l.buckets, b.buckets) WITH ORDINALITY AS u (count, before, place)
    WHERE b.at IS NOT NULL) AS buckets,
    ((l.cpu_seconds - b.cpu_seconds) / b.seconds)::float8 AS cpu,
    l.memory_bytes,
    l.waiting,
    l.connections,
    l.idle_connections
FROM last l
LEFT JOIN LATERAL (
    SELECT s.*, extract(epoch FROM l.at - s.at) AS seconds
    FROM instance_samples s
    WHERE s.at >= l.at - $2::interval AND s.at < l.at
      AND s.instance = l.instance AND s.started_at = l.started_at
    ORDER BY s.at
    LIMIT 1
) b ON true
ORDER BY l.instance, l.started_at
