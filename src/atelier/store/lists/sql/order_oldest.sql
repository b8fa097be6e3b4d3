-- The questions of a requested page, oldest first; a key is in microseconds since 1970.
SELECT
    s.question_id,
    (extract(epoch FROM s.created_at) * 1000000)::bigint AS key,
    d.helpful,
    d.xmin AS version,
    s.answer_count, s.last_activity, s.opening, d.answer_ranks, s.answer_openings, s.answer_closings
FROM question_summaries s
JOIN question_documents d ON d.question_id = s.question_id
WHERE s.product_id = requested.product_id
  AND (s.created_at, s.question_id) > (
      timestamptz 'epoch'
          + requested.after_key / 1000000 * interval '1 second'
          + requested.after_key % 1000000 * interval '1 microsecond',
      requested.after_id)
  AND {filter}{matching}
ORDER BY s.created_at, s.question_id
LIMIT requested.page_limit + 1
