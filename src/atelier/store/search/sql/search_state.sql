-- Whether a product's texts are indexed, or still computed by each search although it is large; and
-- what has changed since it was indexed.
SELECT
    coalesce(p.is_filled, false) AS is_filled,
    p.product_id IS NOT NULL OR EXISTS (
        SELECT FROM question_documents d WHERE d.product_id = $1 OFFSET $2) AS is_large,
    NOT coalesce(p.is_filled, false) AND EXISTS (
        SELECT FROM question_summaries s WHERE s.product_id = $1 OFFSET $3) AS is_partial,
    coalesce(p.size, 0) AS size,
    array(
        SELECT t.question_id FROM search_texts t WHERE t.product_id = $1 AND t.is_changed)
        AS changed,
    array(
        SELECT t.number
        FROM search_texts t
        WHERE t.product_id = $1 AND t.is_changed AND t.number IS NOT NULL) AS outdated
FROM (SELECT) AS one
LEFT JOIN search_products p ON p.product_id = $1
