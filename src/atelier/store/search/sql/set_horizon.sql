-- Every transaction that did not see the product's row has an id before this horizon.
UPDATE search_products SET horizon = pg_snapshot_xmax(pg_current_snapshot())
WHERE product_id = $1 AND horizon IS NULL
