WITH unanswered AS MATERIALIZED (
    SELECT q.id, q.date_written
    FROM questions q
    WHERE NOT q.reported
      AND NOT EXISTS (SELECT 1 FROM answers a WHERE a.question_id = q.id AND NOT a.reported)
)
SELECT
    (SELECT count(*) FROM questions WHERE NOT reported) AS questions,
    (SELECT count(*) FROM answers a JOIN questions q ON q.id = a.question_id
        WHERE NOT a.reported AND NOT q.reported) AS answers,
    (SELECT count(*) FROM questions WHERE reported) AS hidden_questions,
    (SELECT count(*) FROM answers WHERE reported) AS hidden_answers,
    (SELECT count(*) FROM unanswered) AS unanswered,
    (SELECT iso_date(min(date_written)) FROM unanswered) AS oldest_unanswered
