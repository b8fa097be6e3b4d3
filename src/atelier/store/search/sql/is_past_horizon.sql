SELECT coalesce(bool_and(horizon <= pg_snapshot_xmin(pg_current_snapshot())), false) AS is_past
FROM search_products
WHERE product_id = $1
