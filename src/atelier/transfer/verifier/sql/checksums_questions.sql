-- One row: the number of rows, then a sum for each column that does not depend on their order.
-- The id is the seed, so that a value which moved to another row is found.
SELECT
    count(*),
    sum(hashint8extended(id, 0)),
    sum(hashint8extended(product_id, id)),
    sum(hashtextextended(body, id)),
    sum(timestamp_hash_extended(date_written AT TIME ZONE 'UTC', id)),
    sum(hashtextextended(asker_name, id)),
    sum(hashtextextended(asker_email, id)),
    sum(hashint4extended(reported::int, id)),
    sum(hashint4extended(helpful, id))
FROM {relation}
