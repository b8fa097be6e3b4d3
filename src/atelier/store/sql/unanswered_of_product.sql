-- All orders ascend by `key`: microseconds, or negative ones, or negative votes.
SELECT id, product_id, body, created_at, author, helpful, key
FROM (
    SELECT
        q.id,
        q.product_id,
        q.body,
        iso_date(q.date_written) AS created_at,
        q.asker_name AS author,
        q.helpful,
        CASE $6::text
            WHEN 'oldest' THEN (extract(epoch FROM q.date_written) * 1000000)::bigint
            WHEN 'newest' THEN -(extract(epoch FROM q.date_written) * 1000000)::bigint
            ELSE -q.helpful::bigint
        END AS key,
        CASE $6 WHEN 'oldest' THEN q.id ELSE -q.id END AS second_key
    FROM question_documents d JOIN questions q ON q.id = d.question_id
    WHERE d.product_id = $7
      AND q.date_written >= $1
      AND q.date_written < $2
      AND NOT EXISTS (SELECT 1 FROM answers a WHERE a.question_id = q.id AND NOT a.reported)
) AS unanswered
WHERE (key, second_key) > ($3::bigint, $4::bigint)
ORDER BY key, second_key
LIMIT $5
