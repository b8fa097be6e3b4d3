-- The active endpoints: whether a delivery is due, and how old the oldest pending one is.
SELECT
    w.id,
    EXISTS (
        SELECT FROM webhook_deliveries d
        WHERE d.webhook_id = w.id AND d.state = 'pending' AND d.due_at <= now()) AS is_due,
    extract(epoch FROM now() - (
        SELECT d.created_at FROM webhook_deliveries d
        WHERE d.webhook_id = w.id AND d.state = 'pending'
        ORDER BY d.id
        LIMIT 1))::float8 AS age
FROM webhooks w
WHERE w.state = 'active'
