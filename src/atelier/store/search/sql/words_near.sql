-- The words of a product near to each of $2, whose patterns are $3: $4, $5 and $6 are the parts of
-- which one is in each of them. A word that ends or begins like one half of it, in a pattern of $7
-- or $8, is returned without its places. $9: patterns of LIKE for all these parts, which leave few words
-- to compare with each of $2.
SELECT
    w.position::integer - 1 AS position,
    matching.is_near,
    s.word,
    CASE WHEN matching.is_near THEN s.few END AS few,
    CASE WHEN matching.is_near THEN s.many END AS many
FROM (
    SELECT word, few, many
    FROM search_words
    WHERE product_id = $1 AND word LIKE ANY ($9::text[])
    OFFSET 0
) AS s
CROSS JOIN unnest(
    $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
    WITH ORDINALITY AS w (word, near, head, tail, exchanged, ends, begins, position)
CROSS JOIN LATERAL (
    SELECT s.word ~ w.near AS is_near, s.word ~ w.ends OR s.word ~ w.begins AS is_half
    OFFSET 0
) AS matching
WHERE (strpos(s.word, w.head) > 0 OR strpos(s.word, w.tail) > 0 OR strpos(s.word, w.exchanged) > 0)
  AND strpos(s.word, w.word) = 0
  AND (matching.is_near OR matching.is_half)
