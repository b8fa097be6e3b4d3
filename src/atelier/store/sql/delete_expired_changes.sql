-- One batch: of the $2 oldest events, those before the first that is not older than $1. The newest
-- event always stays, because the next position continues from it.
WITH oldest AS MATERIALIZED (
    SELECT position, created_at
    FROM changes
    WHERE position IS NOT NULL
    ORDER BY position
    LIMIT $2
),
deleted AS (
    DELETE FROM changes
    WHERE position < (
        SELECT coalesce(
            min(position) FILTER (WHERE created_at >= now() - $1::interval), max(position))
        FROM oldest)
    RETURNING 1
)
SELECT count(*) FROM deleted
