-- The posts of the last seven days (UTC), also those that are hidden now.
WITH posts AS MATERIALIZED (
    SELECT (date_written AT TIME ZONE 'UTC')::date AS day, 1 AS question, 0 AS answer
    FROM questions
    WHERE date_written >= now() - interval '8 days'
    UNION ALL
    SELECT (date_written AT TIME ZONE 'UTC')::date, 0, 1
    FROM answers
    WHERE date_written >= now() - interval '8 days'
)
SELECT
    d.day::date::text AS day,
    coalesce(sum(p.question), 0) AS questions,
    coalesce(sum(p.answer), 0) AS answers
FROM generate_series(
    date_trunc('day', now() AT TIME ZONE 'UTC') - interval '6 days',
    date_trunc('day', now() AT TIME ZONE 'UTC'),
    interval '1 day'
) AS d (day)
LEFT JOIN posts p ON p.day = d.day::date
GROUP BY d.day
ORDER BY d.day
