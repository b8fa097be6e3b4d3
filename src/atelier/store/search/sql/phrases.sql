-- The numbers among $2 of the questions whose texts contain $3 and match the pattern $4, if there is
-- one; and whether the question itself does.
SELECT
    t.number,
    strpos(q.question, $3) > 0 AND ($4::text IS NULL OR q.question ~ $4) AS is_question
FROM search_texts t
CROSS JOIN LATERAL (SELECT split_part(t.everything, E'\n', 1) AS question OFFSET 0) AS q
WHERE t.product_id = $1 AND t.number = ANY ($2::integer[])
  AND strpos(t.everything, $3) > 0
  AND ($4::text IS NULL OR t.everything ~ $4)
