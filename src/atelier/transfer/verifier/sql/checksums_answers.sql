-- One row: the row count, then one checksum per column that does not depend on the row order.
-- The id is the hash seed, so that a value that moved to another row is detected.
SELECT
    count(*),
    sum(hashint8extended(id, 0)),
    sum(hashint8extended(question_id, id)),
    sum(hashtextextended(body, id)),
    sum(timestamp_hash_extended(date_written AT TIME ZONE 'UTC', id)),
    sum(hashtextextended(answerer_name, id)),
    sum(hashtextextended(answerer_email, id)),
    sum(hashint4extended(reported::int, id)),
    sum(hashint4extended(helpful, id))
FROM {relation}
