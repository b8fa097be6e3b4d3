-- One batch: after a long downtime, all of them could exceed the statement timeout. Returns the
-- number of deleted rows.
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
