-- One row: the row count, then one checksum per column that does not depend on the row order.
-- The id is the hash seed, so that a value that moved to another row is detected.
SELECT
    count(*),
    sum(hashint8extended(id, 0)),
    sum(hashint8extended(answer_id, id)),
    sum(hashtextextended(url, id))
FROM {relation}
