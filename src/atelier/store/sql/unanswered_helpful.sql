-- Sorts narrow rows, and looks for answers only until there are enough questions.
SELECT
    q.id,
    q.product_id,
    q.body,
    iso_date(q.date_written) AS created_at,
    q.asker_name AS author,
    q.helpful,
    -q.helpful::bigint AS key
FROM (
    SELECT id, helpful
    FROM questions
    WHERE NOT reported
      AND date_written >= $1
      AND date_written < $2
      AND (helpful::bigint, id) < (-$3::bigint, -$4::bigint)
    ORDER BY helpful DESC, id DESC
) AS sorted
CROSS JOIN LATERAL (
    SELECT id, product_id, body, date_written, asker_name, helpful
    FROM questions
    WHERE id = sorted.id
    LIMIT 1
) AS q
WHERE (SELECT true FROM answers a WHERE a.question_id = sorted.id AND NOT a.reported LIMIT 1) IS NULL
ORDER BY sorted.helpful DESC, sorted.id DESC
LIMIT $5
