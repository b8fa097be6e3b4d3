-- Pages of questions: one row for each requested page, in the order of the request. The index
-- returns documents in page order, and string_agg keeps it. Bytes need no decoding.
SELECT page.documents, page.length
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])
    WITH ORDINALITY AS requested (product_id, page_limit, page_offset, position)
CROSS JOIN LATERAL (
    SELECT
        convert_to(coalesce(string_agg(document, ','), ''), 'UTF8') AS documents,
        count(*) AS length
    FROM (
        SELECT document
        FROM question_documents
        WHERE product_id = requested.product_id
        ORDER BY helpful DESC, question_id DESC
        LIMIT requested.page_limit OFFSET requested.page_offset
    ) AS documents
) AS page
ORDER BY requested.position
