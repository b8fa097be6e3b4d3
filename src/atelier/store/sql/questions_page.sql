-- Pages of products, one row each, in the order asked for. Documents come out of the index in
-- page order, and string_agg keeps the order of its input. Bytes, so that nobody decodes them.
SELECT page.documents, page.length
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])
    WITH ORDINALITY AS wanted (product_id, take, skip, position)
CROSS JOIN LATERAL (
    SELECT
        convert_to(coalesce(string_agg(document, ','), ''), 'UTF8') AS documents,
        count(*) AS length
    FROM (
        SELECT document
        FROM question_documents
        WHERE product_id = wanted.product_id
        ORDER BY helpful DESC, question_id DESC
        LIMIT wanted.take OFFSET wanted.skip
    ) AS documents
) AS page
ORDER BY wanted.position
