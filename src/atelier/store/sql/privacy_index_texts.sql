-- Brings the indexes for searches up to date, so that they keep no word of what these questions had.
WITH locked AS MATERIALIZED (
    SELECT p.product_id
    FROM search_products p
    WHERE p.product_id IN (
        SELECT t.product_id FROM search_texts t WHERE t.question_id = ANY ($1) AND t.is_changed)
    ORDER BY p.product_id
    FOR UPDATE
)
SELECT index_search_texts(product_id, 2147483647) FROM locked
