-- Products that are not filled yet, and those with more than $1 texts that are not indexed.
SELECT product_id, is_filled
FROM search_products
WHERE NOT is_filled
UNION ALL
SELECT product_id, true
FROM (SELECT product_id, count(*) AS texts FROM search_texts WHERE is_changed GROUP BY product_id) AS c
WHERE texts > $1 AND EXISTS (
    SELECT FROM search_products p WHERE p.product_id = c.product_id AND p.is_filled)
