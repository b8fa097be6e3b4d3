-- The answers of one question, one per row.
SELECT convert_to(document, 'UTF8') AS document
FROM answer_document_view
WHERE question_id = $1
ORDER BY helpful DESC, answer_id DESC
LIMIT $2 OFFSET $3
