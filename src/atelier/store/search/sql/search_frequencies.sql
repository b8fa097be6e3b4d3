-- In how many questions each word stands as it is, counted up to a maximum.
SELECT (
    SELECT count(*)
    FROM (
        SELECT
        FROM question_documents d JOIN {texts} t ON t.question_id = d.question_id
        WHERE d.product_id = $1 AND t.product_id = $1 AND strpos(t.everything, w.word) > 0
        LIMIT $3
    ) AS questions
) AS questions
FROM unnest($2::text[]) WITH ORDINALITY AS w (word, position)
ORDER BY w.position
