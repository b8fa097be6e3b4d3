-- Of the questions asked since a time: how many are answered, and how long their first answers took.
-- In an export, an answer may be older than its question: it took no time.
SELECT
    count(*) AS questions,
    count(first_answer) AS answered,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS median_seconds,
    percentile_cont(0.9) WITHIN GROUP (ORDER BY seconds) AS p90_seconds
FROM (
    SELECT first_answer, CASE WHEN first_answer IS NOT NULL
        THEN greatest(0, extract(epoch FROM first_answer - asked)::float8) END AS seconds
    FROM (
        SELECT q.date_written AS asked, (
            SELECT min(a.date_written) FROM answers a WHERE a.question_id = q.id AND NOT a.reported
        ) AS first_answer
        FROM questions q
        WHERE NOT q.reported AND q.date_written >= $1
    ) AS asked_questions
) AS waiting_times
