-- Whether the texts of a product are kept, and whether they should be.
SELECT
    EXISTS (SELECT FROM search_products WHERE product_id = $1 AND is_filled) AS is_filled,
    EXISTS (SELECT FROM question_documents WHERE product_id = $1 OFFSET $2) AS is_large
