-- All endpoints, or the one with the id $1.
SELECT
    w.id,
    w.url,
    w.events,
    w.state,
    w.created_by,
    iso_date(w.created_at) AS created_at,
    iso_date(w.delivered_at) AS delivered_at,
    iso_date(w.failing_since) AS failing_since,
    (
        SELECT count(*) FROM (
            SELECT FROM webhook_deliveries d
            WHERE d.webhook_id = w.id AND d.state = 'pending'
            LIMIT 10000) some_pending) AS pending
FROM webhooks w
WHERE $1::bigint IS NULL OR w.id = $1
ORDER BY w.id
