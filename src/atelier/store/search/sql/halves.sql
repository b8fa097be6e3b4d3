-- The words of a product that end with one of $2 or begin with one of $3, as whole words.
SELECT h.position::integer - 1 AS position, is_head, s.few, s.many
FROM search_words s
CROSS JOIN unnest($2::text[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY
    AS h (head, tail, ends, begins, position)
CROSS JOIN LATERAL (
    SELECT true AS is_head WHERE right(s.word, length(h.head)) = h.head AND s.word ~ h.ends
    UNION ALL
    SELECT false WHERE starts_with(s.word, h.tail) AND s.word ~ h.begins
) AS half
WHERE s.product_id = $1
