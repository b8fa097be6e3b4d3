-- The questions that share the most telling words with a text, best first: the fewer questions contain a
-- word, the more it counts. $2: up to six beginnings of words, each after a space; at least half of
-- the weight of all of them must be found.
WITH marked AS MATERIALIZED (
    SELECT
        d.question_id,
        d.helpful,
        (CASE WHEN strpos(t.words, ($2::text[])[1]) > 0 THEN 1 ELSE 0 END)
        + (CASE WHEN strpos(t.words, ($2::text[])[2]) > 0 THEN 2 ELSE 0 END)
        + (CASE WHEN strpos(t.words, ($2::text[])[3]) > 0 THEN 4 ELSE 0 END)
        + (CASE WHEN strpos(t.words, ($2::text[])[4]) > 0 THEN 8 ELSE 0 END)
        + (CASE WHEN strpos(t.words, ($2::text[])[5]) > 0 THEN 16 ELSE 0 END)
        + (CASE WHEN strpos(t.words, ($2::text[])[6]) > 0 THEN 32 ELSE 0 END) AS found
    FROM question_documents d
    JOIN {texts} t ON t.question_id = d.question_id
    WHERE d.product_id = $1 AND t.product_id = $1
),
combinations AS MATERIALIZED (
    SELECT found, count(*) AS questions FROM marked GROUP BY found
),
weights AS MATERIALIZED (
    SELECT
        1 << (position - 1)::integer AS bit,
        ln(1 + (SELECT sum(questions) FROM combinations) / (1 + (
            SELECT coalesce(sum(questions), 0)
            FROM combinations
            WHERE found & (1 << (position - 1)::integer) > 0))) AS weight
    FROM generate_series(1, cardinality($2::text[])) AS position
),
scores AS MATERIALIZED (
    SELECT c.found, sum(w.weight) AS score
    FROM combinations c JOIN weights w ON c.found & w.bit > 0
    GROUP BY c.found
    HAVING sum(w.weight) * 2 >= (SELECT sum(weight) FROM weights)
)
SELECT m.question_id
FROM marked m JOIN scores s ON s.found = m.found
ORDER BY s.score DESC, m.helpful DESC, m.question_id DESC
LIMIT $3
