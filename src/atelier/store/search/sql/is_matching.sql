
  AND (
      s.question_id = ANY (requested.others)
      OR (
          SELECT CASE
              WHEN t.number < length(requested.bits) * 4 THEN get_bit(requested.bits, 2 * t.number)
              END
          FROM search_texts t
          WHERE t.question_id = s.question_id AND t.product_id = requested.product_id
      ) = 1)
