-- The ranges of $1 ids with an answered question. Each step is one descent of the index to the next
-- such range, so the rows of the ranges are not read.
WITH RECURSIVE parts (part) AS (
    (
        SELECT question_id / $1::bigint
        FROM question_summaries
        WHERE question_id >= 0 AND answer_count > 0
        ORDER BY question_id
        LIMIT 1
    )
    UNION ALL
    SELECT following.part
    FROM parts
    CROSS JOIN LATERAL (
        SELECT question_id / $1::bigint AS part
        FROM question_summaries
        WHERE question_id >= (parts.part + 1) * $1::bigint AND answer_count > 0
        ORDER BY question_id
        LIMIT 1
    ) AS following
    WHERE parts.part < 9223372036854775807 / $1::bigint
)
SELECT part FROM parts LIMIT $2
