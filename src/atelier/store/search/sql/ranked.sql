-- The first of these questions in an order, after a position, with the position of each. $2, $3: ids
-- and their points; then those in the index. $7: the order among those with the same points.
SELECT m.question_id, m.points, ordered.key
FROM (
    SELECT question_id, points
    FROM unnest($2::bigint[], $3::integer[]) AS by_id (question_id, points)
    UNION ALL
    SELECT t.question_id, by_number.points
    FROM unnest($4::integer[], $5::integer[]) AS by_number (number, points)
    JOIN search_texts t ON t.product_id = $1 AND t.number = by_number.number
) AS m
JOIN question_summaries s ON s.question_id = m.question_id AND s.product_id = $1
CROSS JOIN LATERAL (
    SELECT
        CASE $7::text
            WHEN 'helpful' THEN (
                SELECT d.helpful FROM question_documents d WHERE d.question_id = m.question_id)
            WHEN 'most_answers' THEN s.answer_count
            ELSE (extract(epoch FROM s.created_at) * 1000000)::bigint
            END AS key,
        CASE $7::text WHEN 'oldest' THEN -1 ELSE 1 END AS sign
    OFFSET 0
) AS ordered
WHERE CASE $6::text
    WHEN 'answered' THEN s.answer_count > 0
    WHEN 'unanswered' THEN s.answer_count = 0
    WHEN 'seller' THEN s.has_seller
    WHEN 'photos' THEN s.has_photos
    ELSE true END
  AND (m.points, ordered.sign * ordered.key, ordered.sign * m.question_id)
    < ($8::integer, ordered.sign * $9::bigint, ordered.sign * $10::bigint)
ORDER BY m.points DESC, ordered.sign * ordered.key DESC, ordered.sign * m.question_id DESC
LIMIT $11
