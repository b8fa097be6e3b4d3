-- Which of $3, up to six stems, some after a space, stand in each question: the bits of `found`.
SELECT m.question_id, m.found
FROM (
    SELECT
        t.question_id,
        (CASE WHEN strpos(words.text, ($3::text[])[1]) > 0 THEN 1 ELSE 0 END)
        + (CASE WHEN strpos(words.text, ($3::text[])[2]) > 0 THEN 2 ELSE 0 END)
        + (CASE WHEN strpos(words.text, ($3::text[])[3]) > 0 THEN 4 ELSE 0 END)
        + (CASE WHEN strpos(words.text, ($3::text[])[4]) > 0 THEN 8 ELSE 0 END)
        + (CASE WHEN strpos(words.text, ($3::text[])[5]) > 0 THEN 16 ELSE 0 END)
        + (CASE WHEN strpos(words.text, ($3::text[])[6]) > 0 THEN 32 ELSE 0 END) AS found
    FROM {texts} t
    CROSS JOIN LATERAL (
        SELECT regexp_replace(
            split_part(t.everything, E'\n', 1),
            '[\s!-/:-@\[-`{{-~\u2000-\u206f\u3000-\u303f]+', ' ', 'g') AS text
        OFFSET 0
    ) AS words
    WHERE t.product_id = $1
) AS m
