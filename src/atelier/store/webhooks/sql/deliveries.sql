-- The deliveries of the endpoint $1, in the state $2 if it is given, with ids below $3, the latest
-- first, at most $4.
SELECT
    d.id,
    d.webhook_id,
    d.message_id,
    d.kind AS type,
    d.position,
    d.target,
    d.target_id,
    d.question_id,
    d.state,
    d.attempts,
    iso_date(d.created_at) AS created_at,
    iso_date(d.attempted_at) AS attempted_at,
    CASE WHEN d.state = 'pending' AND d.due_at < 'infinity' THEN iso_date(d.due_at) END AS due_at,
    iso_date(d.finished_at) AS finished_at,
    d.status,
    d.error,
    d.milliseconds
FROM webhook_deliveries d
WHERE d.webhook_id = $1
  AND ($2::text IS NULL OR d.state = $2)
  AND d.id < $3
ORDER BY d.id DESC
LIMIT $4
