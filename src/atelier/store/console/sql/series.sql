-- All instances together, for each step of $3 seconds after $1, from samples after $2.
-- Rates are per second. Counters are compared within one process only: a new one starts at 0.
WITH changes AS (
    SELECT
        s.instance,
        s.at,
        floor(extract(epoch FROM s.at) / $3::float8) * $3::float8 AS step,
        extract(epoch FROM s.at - lag(s.at) OVER w) AS seconds,
        s.requests - lag(s.requests) OVER w AS requests,
        s.errors - lag(s.errors) OVER w AS errors,
        s.buckets,
        lag(s.buckets) OVER w AS buckets_before,
        s.batches - lag(s.batches) OVER w AS batches,
        s.batch_keys - lag(s.batch_keys) OVER w AS batch_keys,
        s.cpu_seconds - lag(s.cpu_seconds) OVER w AS cpu_seconds,
        s.waiting,
        s.memory_bytes,
        s.clients,
        s.transactions - lag(s.transactions) OVER database AS transactions,
        s.blocks_hit - lag(s.blocks_hit) OVER database AS blocks_hit,
        s.blocks_read - lag(s.blocks_read) OVER database AS blocks_read,
        extract(epoch FROM s.at - lag(s.at) OVER database) AS database_seconds
    FROM instance_samples s
    WHERE s.at > $2
    WINDOW
        w AS (PARTITION BY s.instance, s.started_at ORDER BY s.at),
        database AS (ORDER BY s.at)
),
counted AS (
    SELECT c.step, b.place, sum(b.count - b.before) AS count
    FROM changes c
    CROSS JOIN LATERAL unnest(c.buckets, c.buckets_before) WITH ORDINALITY AS b (count, before, place)
    WHERE c.seconds > 0 AND c.at > $1
    GROUP BY c.step, b.place
),
histograms AS (
    SELECT step, array_agg(count::bigint ORDER BY place) AS buckets FROM counted GROUP BY step
),
instances AS (
    SELECT
        step,
        instance,
        sum(requests) / sum(seconds) AS requests,
        sum(errors) / sum(seconds) AS errors,
        sum(batches)::bigint AS batches,
        sum(batch_keys)::bigint AS batch_keys,
        sum(cpu_seconds) / sum(seconds) AS cpu,
        max(waiting) AS waiting,
        max(memory_bytes) AS memory_bytes
    FROM changes
    WHERE seconds > 0 AND at > $1
    GROUP BY step, instance
),
databases AS (
    SELECT
        step,
        max(clients) AS clients,
        sum(transactions) / nullif(sum(database_seconds), 0) AS transactions,
        sum(blocks_hit)::float8 / nullif(sum(blocks_hit + blocks_read), 0) AS hit_ratio
    FROM changes
    WHERE at > $1 AND transactions >= 0
    GROUP BY step
)
SELECT
    i.step::float8 AS step,
    count(*)::integer AS instances,
    sum(i.requests)::float8 AS requests,
    sum(i.errors)::float8 AS errors,
    sum(i.batches)::bigint AS batches,
    sum(i.batch_keys)::bigint AS batch_keys,
    sum(i.cpu)::float8 AS cpu,
    sum(i.waiting)::integer AS waiting,
    sum(i.memory_bytes)::bigint AS memory_bytes,
    h.buckets,
    d.clients,
    d.transactions::float8 AS transactions,
    d.hit_ratio
FROM instances i
JOIN histograms h USING (step)
LEFT JOIN databases d USING (step)
GROUP BY i.step, h.buckets, d.clients, d.transactions, d.hit_ratio
ORDER BY i.step
