-- The questions of a requested page, those with the most answers first.
SELECT s.question_id, s.answer_count::bigint AS key, s.answer_count, s.has_photos
FROM question_summaries s
WHERE s.product_id = requested.product_id
  AND (s.answer_count, s.question_id) < (requested.after_key, requested.after_id)
  AND {filter}{matching}
ORDER BY s.answer_count DESC, s.question_id DESC
LIMIT requested.page_limit + 1
