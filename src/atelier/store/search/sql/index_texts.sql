-- Brings the index up to date with at most $2 changed texts of the product.
SELECT index_search_texts($1, $2) AS texts
