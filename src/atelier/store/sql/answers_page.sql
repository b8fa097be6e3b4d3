-- Pages of answers: one row for each requested page, in the order of the request.
SELECT page.documents, page.length
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])
    WITH ORDINALITY AS requested (question_id, page_limit, page_offset, position)
CROSS JOIN LATERAL (
    SELECT
        convert_to(coalesce(string_agg(document, ','), ''), 'UTF8') AS documents,
        count(*) AS length
    FROM (
        SELECT document
        FROM answer_document_view
        WHERE question_id = requested.question_id
        ORDER BY helpful DESC, answer_id DESC
        LIMIT requested.page_limit OFFSET requested.page_offset
    ) AS documents
) AS page
ORDER BY requested.position
