-- The service indexes these products for searches, once the import is published.
INSERT INTO search_products (product_id)
SELECT product_id FROM question_summaries GROUP BY product_id HAVING count(*) > 500
