-- Adds the texts of the product's next $3 questions after $2; returns the last, or null after all.
-- The condition again: an import may have replaced all tables since the horizon was passed.
WITH next AS MATERIALIZED (
    SELECT question_id
    FROM question_documents
    WHERE product_id = $1 AND question_id > $2
      AND EXISTS (
          SELECT FROM search_products
          WHERE product_id = $1 AND horizon <= pg_snapshot_xmin(pg_current_snapshot()))
    ORDER BY question_id
    LIMIT $3
),
filled AS (
    INSERT INTO search_texts (question_id, product_id, everything)
    SELECT v.question_id, v.product_id, v.everything
    FROM next n JOIN search_text_view v ON v.question_id = n.question_id
    ON CONFLICT (question_id, product_id) DO NOTHING
)
SELECT max(question_id) AS last FROM next
