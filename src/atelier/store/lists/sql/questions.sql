-- Pages of questions for /v1: one row for each requested page, in the order of the request. `keys`
-- is the statement of one order, which returns one question more than the page has, to know whether
-- there is a next page. Subqueries rather than joins keep the order without sorting. The parts of a
-- page are lines of one value (JSON escapes line breaks), for each value costs an instance time: the
-- server, the totals, the positions of the questions, with the versions of their documents (whatever
-- changes a question writes its document), and a line for each question. A page that has all questions
-- of its product counts them itself: a list's first page, whose position has the highest id or its
-- negative.
SELECT
    convert_to(
        {server}
            || E'\n' || CASE
                WHEN questions <= requested.page_limit
                    AND abs(requested.after_id) = {max_key}
                    AND coalesce(requested.filter, 'all') = 'all'
                THEN
{members}
                ELSE (
{totals}
                ) END
            || E'\n' || coalesce(page.positions || E'\n' || page.documents, E'\n'),
        'UTF8') AS page
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[])
    WITH ORDINALITY AS requested
        (product_id, page_limit, answers_limit, filter, after_key, after_id, position)
CROSS JOIN LATERAL (
    SELECT
        string_agg(key || ' ' || question_id || ' ' || version::text, ',') AS positions,
        string_agg(document, E'\n') AS documents,
        count(*) AS questions,
        sum(answer_count) AS answers,
        count(*) FILTER (WHERE answer_count = 0) AS unanswered,
        max(last_activity) AS last_activity
    FROM (
        SELECT k.question_id, k.key, k.version, k.answer_count, k.last_activity, {document} AS document
        FROM (
{keys}
        ) AS k
    ) AS documents
) AS page
ORDER BY requested.position
