-- The questions of a requested page, most helpful first.
SELECT
    d.question_id,
    d.helpful::bigint AS key,
    d.helpful,
    d.xmin AS version,
    s.answer_count, s.last_activity, s.opening, d.answer_ranks, s.answer_openings, s.answer_closings
FROM question_documents d
JOIN question_summaries s ON s.question_id = d.question_id
WHERE d.product_id = requested.product_id
  AND (d.helpful, d.question_id) < (requested.after_key, requested.after_id)
  AND {filter}{matching}
ORDER BY d.helpful DESC, d.question_id DESC
LIMIT requested.page_limit + 1
