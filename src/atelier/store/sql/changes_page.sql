-- The events from position $1 on, at most $2, each with the present content of its object.
SELECT
    position,
    id,
    change_event(position, kind, target, target_id, question_id, product_id, created_at) AS event
FROM changes
WHERE position >= $1
ORDER BY position
LIMIT $2
