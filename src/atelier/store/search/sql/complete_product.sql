-- The product's texts are all there; few of them are not indexed yet.
UPDATE search_products SET is_filled = true
WHERE product_id = $1 AND horizon <= pg_snapshot_xmin(pg_current_snapshot())
  AND NOT EXISTS (
      SELECT FROM search_texts WHERE product_id = $1 AND is_changed OFFSET $2)
