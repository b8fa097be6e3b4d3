-- A part at a time: after a long stop there may be more than one statement may take. Returns how many.
WITH forgotten AS (
    DELETE FROM voters
    WHERE ctid = ANY (array(
        SELECT ctid
        FROM voters
        WHERE created_at < now() - $1::interval
        ORDER BY created_at
        LIMIT $2
        FOR UPDATE SKIP LOCKED))
    RETURNING 1
)
SELECT count(*) FROM forgotten
