-- One row: the number of rows, then a sum for each column that does not depend on their order.
-- The id is the seed, so that a value which moved to another row is found.
SELECT
    count(*),
    sum(hashtextextended(id::text, 0)),
    sum(hashtextextended(product_id::text, id)),
    sum(hashtextextended(body, id)),
    sum(hashtextextended(date_written::text, id)),
    sum(hashtextextended(asker_name, id)),
    sum(hashtextextended(asker_email, id)),
    sum(hashtextextended(reported::text, id)),
    sum(hashtextextended(helpful::text, id))
FROM {relation}
