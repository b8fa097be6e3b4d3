-- The questions of a requested page, those with the most answers first.
SELECT s.question_id, s.answer_count::bigint AS key, s.answer_count
FROM question_summaries s
WHERE s.product_id = requested.product_id
  AND (s.answer_count, s.question_id) < (requested.after_key, requested.after_id)
  AND CASE requested.filter
    WHEN 'answered' THEN s.answer_count > 0
    WHEN 'unanswered' THEN s.answer_count = 0
    WHEN 'seller' THEN s.has_seller
    WHEN 'photos' THEN s.has_photos
    ELSE true END{matching}
ORDER BY s.answer_count DESC, s.question_id DESC
LIMIT requested.page_limit + 1
