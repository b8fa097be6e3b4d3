-- The words of a product that contain one of $2 and, where there is one, match its pattern of $3; and
-- whether they begin with it.
SELECT
    w.position::integer - 1 AS position,
    starts_with(s.word, w.part) AS is_beginning,
    s.few,
    s.many
FROM search_words s
CROSS JOIN unnest($2::text[], $3::text[]) WITH ORDINALITY AS w (part, pattern, position)
WHERE s.product_id = $1
  AND strpos(s.word, w.part) > 0
  AND (w.pattern IS NULL OR s.word ~ w.pattern)
