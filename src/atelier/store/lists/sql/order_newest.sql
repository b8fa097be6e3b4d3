-- The questions of a requested page, newest first; a key is in microseconds since 1970.
SELECT
    s.question_id,
    (extract(epoch FROM s.created_at) * 1000000)::bigint AS key,
    s.answer_count,
    s.has_photos
FROM question_summaries s
WHERE s.product_id = requested.product_id
  AND (s.created_at, s.question_id) < (
      timestamptz 'epoch'
          + requested.after_key / 1000000 * interval '1 second'
          + requested.after_key % 1000000 * interval '1 microsecond',
      requested.after_id)
  AND {filter}{matching}
ORDER BY s.created_at DESC, s.question_id DESC
LIMIT requested.page_limit + 1
