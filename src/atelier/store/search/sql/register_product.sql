INSERT INTO search_products (product_id) VALUES ($1) ON CONFLICT (product_id) DO NOTHING
