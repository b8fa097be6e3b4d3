-- The products and questions for which all systems must give the same responses.
SELECT product_id, id FROM questions
WHERE product_id BETWEEN 800000000 AND 899999999
ORDER BY id
