-- The documents of one product, one per row.
SELECT convert_to(document, 'UTF8') AS document
FROM question_documents
WHERE product_id = $1
ORDER BY helpful DESC, question_id DESC
LIMIT $2 OFFSET $3
