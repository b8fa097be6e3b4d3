(
    SELECT c.question_id, c.product_id, c.everything
    FROM search_texts c
    WHERE c.product_id = $1 AND c.question_id = ANY ($2::bigint[])
      AND c.everything IS NOT NULL
)
