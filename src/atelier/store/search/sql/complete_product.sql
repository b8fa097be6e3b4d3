UPDATE search_products SET is_filled = true
WHERE product_id = $1 AND horizon <= pg_snapshot_xmin(pg_current_snapshot())
