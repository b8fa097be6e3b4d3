-- Pages of answers, one row for each question asked for, in the order asked for.
SELECT page.documents, page.length
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])
    WITH ORDINALITY AS wanted (question_id, take, skip, position)
CROSS JOIN LATERAL (
    SELECT
        convert_to(coalesce(string_agg(document, ','), ''), 'UTF8') AS documents,
        count(*) AS length
    FROM (
        SELECT document
        FROM answer_document_view
        WHERE question_id = wanted.question_id
        ORDER BY helpful DESC, answer_id DESC
        LIMIT wanted.take OFFSET wanted.skip
    ) AS documents
) AS page
ORDER BY wanted.position
