SELECT t.question_id, $5::integer
    FROM search_texts t
    WHERE t.product_id = $1
      AND CASE WHEN t.number < length($4::bytea) * 4 THEN get_bit($4, 2 * t.number) END = 1
