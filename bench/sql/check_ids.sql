-- The products and questions that every system must answer the same for.
SELECT product_id, id FROM questions
WHERE product_id BETWEEN 800000000 AND 899999999
ORDER BY id
