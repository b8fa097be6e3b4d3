-- One row: the number of rows, then a sum for each column that does not depend on their order.
-- The id is the seed, so that a value which moved to another row is found.
SELECT
    count(*),
    sum(hashint8extended(id, 0)),
    sum(hashint8extended(answer_id, id)),
    sum(hashtextextended(url, id))
FROM {relation}
