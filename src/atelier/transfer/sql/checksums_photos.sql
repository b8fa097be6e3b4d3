-- One row: the number of rows, then a sum for each column that does not depend on their order.
-- The id is the seed, so that a value which moved to another row is found.
SELECT
    count(*),
    sum(hashtextextended(id::text, 0)),
    sum(hashtextextended(answer_id::text, id)),
    sum(hashtextextended(url, id))
FROM {relation}
