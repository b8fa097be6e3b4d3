-- The documents of one product, row by row.
SELECT document
FROM question_documents
WHERE product_id = $1
ORDER BY helpful DESC, question_id DESC
LIMIT $2 OFFSET $3
