-- What the visible questions of a requested product amount to, as members of JSON.
SELECT
{members}
    AS members
FROM (
    SELECT
        count(*) AS questions,
        sum(answer_count) AS answers,
        count(*) FILTER (WHERE answer_count = 0) AS unanswered,
        max(last_activity) AS last_activity
    FROM question_summaries
    WHERE product_id = requested.product_id
) AS counted
