-- The words of a product that contain one of $2 and, where there is one, match its pattern of $3; and
-- whether they begin with it. $4: patterns of LIKE for $2, which leave few words to compare one by one.
SELECT
    w.position::integer - 1 AS position,
    starts_with(s.word, w.part) AS is_beginning,
    s.few,
    s.many
FROM (
    SELECT word, few, many
    FROM search_words
    WHERE product_id = $1 AND word LIKE ANY ($4::text[])
    OFFSET 0
) AS s
CROSS JOIN unnest($2::text[], $3::text[]) WITH ORDINALITY AS w (part, pattern, position)
WHERE CASE WHEN strpos(s.word, w.part) > 0 THEN w.pattern IS NULL OR s.word ~ w.pattern END
