-- Pages of questions for /v1: one row for each requested page, in the order of the request. `keys`
-- is the statement of one order, which returns one question more than the page has, to know whether
-- there is a next page. Subqueries rather than joins keep the order without sorting. Whatever changes a
-- question writes its document, whose versions are those of the page. The parts of a page are lines of
-- one value (JSON escapes line breaks), for each value costs an instance time. A page that has all
-- questions of its product counts them itself: a list's first page, whose position has the highest id
-- or its negative.
SELECT
    convert_to(
        {server} || coalesce(page.ids::text || page.versions, '')
            || E'\n' || CASE
                WHEN questions <= requested.page_limit
                    AND abs(requested.after_id) = {max_key}
                    AND coalesce(requested.filter, 'all') = 'all'
                THEN
{members}
                ELSE (
{totals}
                ) END
            || E'\n' || CASE WHEN questions > requested.page_limit
                THEN page.keys[requested.page_limit] || ' ' || page.ids[requested.page_limit]
                ELSE '' END
            || E'\n' || coalesce(array_to_string(page.documents[:requested.page_limit], ','), ''),
        'UTF8') AS page
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[])
    WITH ORDINALITY AS requested
        (product_id, page_limit, answers_limit, filter, after_key, after_id, position)
CROSS JOIN LATERAL (
    SELECT
        array_agg(document) AS documents,
        array_agg(key) AS keys,
        array_agg(question_id) AS ids,
        array_agg(version)::text AS versions,
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
