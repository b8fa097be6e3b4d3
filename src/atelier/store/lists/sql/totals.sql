-- What the visible questions of a requested product amount to, as members of JSON.
SELECT
    '"questions":' || count(*)
        || ',"answers":' || coalesce(sum(answer_count), 0)
        || ',"unanswered":' || count(*) FILTER (WHERE answer_count = 0)
        || ',"last_activity":' || coalesce('"' || iso_date(max(last_activity)) || '"', 'null')
        AS members
FROM question_summaries
WHERE product_id = requested.product_id
