-- The questions of a requested page, most helpful first.
SELECT d.question_id, d.helpful::bigint AS key, s.answer_count
FROM question_documents d
JOIN question_summaries s ON s.question_id = d.question_id
WHERE d.product_id = requested.product_id
  AND (d.helpful, d.question_id) < (requested.after_key, requested.after_id)
  AND CASE requested.filter
    WHEN 'answered' THEN s.answer_count > 0
    WHEN 'unanswered' THEN s.answer_count = 0
    WHEN 'seller' THEN s.has_seller
    WHEN 'photos' THEN s.has_photos
    ELSE true END{matching}
ORDER BY d.helpful DESC, d.question_id DESC
LIMIT requested.page_limit + 1
