-- The numbers of a product's questions that a filter lets through.
SELECT coalesce(array_agg(t.number), '{}') AS numbers
FROM question_summaries s
JOIN search_texts t ON t.product_id = $1 AND t.question_id = s.question_id
WHERE s.product_id = $1 AND t.number IS NOT NULL
  AND CASE $2::text
    WHEN 'answered' THEN s.answer_count > 0
    WHEN 'unanswered' THEN s.answer_count = 0
    WHEN 'seller' THEN s.has_seller
    WHEN 'photos' THEN s.has_photos
    ELSE true END
