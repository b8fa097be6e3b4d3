INSERT INTO question_documents (question_id, product_id, helpful, document)
SELECT question_id, product_id, helpful, document
FROM question_document_view
WHERE question_id BETWEEN $1 AND $2
