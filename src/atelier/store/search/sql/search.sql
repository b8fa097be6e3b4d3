-- The questions that contain every word, with their points. $3: the words, the one found least often
-- first; $4: for each the pattern of words near to it, or null; $5, $6, $7: one of these is part of
-- each of them. A word counts most in the question, then in an answer, then if it is only near; and a
-- little more where a word begins with it.
WITH found AS MATERIALIZED (
    SELECT t.question_id, t.everything, split_part(t.everything, E'\n', 1) AS question
    FROM {texts} t
    WHERE t.product_id = $1
      AND CASE
          WHEN strpos(t.everything, ($3::text[])[1]) > 0 THEN true
          WHEN ($4::text[])[1] IS NULL THEN false
          WHEN strpos(t.everything, ($5::text[])[1]) = 0
            AND strpos(t.everything, ($6::text[])[1]) = 0
            AND strpos(t.everything, ($7::text[])[1]) = 0 THEN false
          ELSE t.everything ~ ($4::text[])[1]
          END
)
SELECT
    f.question_id,
    (score.points + CASE
        WHEN strpos(f.question, $8) > 0 THEN 2
        WHEN strpos(f.everything, $8) > 0 THEN 1
        ELSE 0
        END)::integer AS points
FROM found f
CROSS JOIN LATERAL (
    SELECT sum(points) AS points, min(points) AS lowest
    FROM (
        SELECT CASE
            WHEN strpos(f.question, w.word) > 0
                THEN 8 + (strpos(f.question, ' ' || ltrim(w.word, ' ')) > 0)::integer
            WHEN strpos(f.everything, w.word) > 0
                THEN 6 + (strpos(f.everything, ' ' || ltrim(w.word, ' ')) > 0)::integer
            WHEN w.near IS NULL THEN 0
            WHEN strpos(f.everything, w.head) = 0
              AND strpos(f.everything, w.tail) = 0
              AND strpos(f.everything, w.exchanged) = 0 THEN 0
            WHEN f.question ~ w.near THEN 4
            WHEN f.everything ~ w.near THEN 2
            ELSE 0
            END AS points
        FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
            AS w (word, near, head, tail, exchanged)
    ) AS each
) AS score
WHERE score.lowest > 0
