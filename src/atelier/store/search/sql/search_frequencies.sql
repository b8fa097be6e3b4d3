-- In how many questions each word stands as it is, counted up to a maximum.
SELECT (
    SELECT count(*)
    FROM (
        SELECT
        FROM {texts} t
        WHERE t.product_id = $1 AND strpos(t.everything, w.word) > 0
        LIMIT $4
    ) AS questions
) AS questions
FROM unnest($3::text[]) WITH ORDINALITY AS w (word, position)
ORDER BY w.position
