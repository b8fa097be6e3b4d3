-- The questions of a requested page, oldest first; a key is in microseconds since 1970.
SELECT
    s.question_id,
    (extract(epoch FROM s.created_at) * 1000000)::bigint AS key,
    s.answer_count
FROM question_summaries s
WHERE s.product_id = requested.product_id
  AND (s.created_at, s.question_id) > (
      timestamptz 'epoch'
          + requested.after_key / 1000000 * interval '1 second'
          + requested.after_key % 1000000 * interval '1 microsecond',
      requested.after_id)
  AND CASE requested.filter
    WHEN 'answered' THEN s.answer_count > 0
    WHEN 'unanswered' THEN s.answer_count = 0
    WHEN 'seller' THEN s.has_seller
    WHEN 'photos' THEN s.has_photos
    ELSE true END{matching}
ORDER BY s.created_at, s.question_id
LIMIT requested.page_limit + 1
