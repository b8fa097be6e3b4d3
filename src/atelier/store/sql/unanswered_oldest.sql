-- A scalar subquery, because a join might be planned as a scan of all answers.
SELECT
    q.id,
    q.product_id,
    q.body,
    iso_date(q.date_written) AS created_at,
    q.asker_name AS author,
    q.helpful,
    (extract(epoch FROM q.date_written) * 1000000)::bigint AS key
FROM questions q
WHERE NOT q.reported
  AND q.date_written >= $1
  AND q.date_written < $2
  AND (q.date_written, q.id)
      > ('epoch'::timestamptz + $3::bigint * interval '1 microsecond', $4::bigint)
  AND (SELECT true FROM answers a WHERE a.question_id = q.id AND NOT a.reported LIMIT 1) IS NULL
ORDER BY q.date_written, q.id
LIMIT $5
