SELECT
    question_id AS id,
    CASE WHEN last_activity >= '0001-01-01Z' AND last_activity < '10000-01-01Z'
        THEN to_char(last_activity AT TIME ZONE 'UTC', 'YYYY-MM-DD') END AS changed_on
FROM question_summaries
WHERE question_id >= $1 AND question_id <= $2 AND answer_count > 0
ORDER BY question_id
