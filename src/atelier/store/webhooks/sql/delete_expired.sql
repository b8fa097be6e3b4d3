-- One batch of the deliveries that were finished before the interval $1: at most $2.
WITH deleted AS (
    DELETE FROM webhook_deliveries
    WHERE id IN (
        SELECT id FROM webhook_deliveries WHERE finished_at < now() - $1::interval LIMIT $2)
    RETURNING 1
)
SELECT count(*) FROM deleted
