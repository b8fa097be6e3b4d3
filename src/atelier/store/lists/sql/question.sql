-- Single questions for /v1 with their first answers, in the order of the request; null if hidden
-- or unknown.
SELECT convert_to({document}, 'UTF8') AS document, convert_to({server} || k.version::text, 'UTF8') AS version
FROM unnest($1::bigint[], $2::bigint[])
    WITH ORDINALITY AS requested (question_id, answers_limit, position)
LEFT JOIN (
    SELECT s.*, d.helpful, d.answer_ranks, d.xmin AS version
    FROM question_summaries s JOIN question_documents d ON d.question_id = s.question_id
) AS k ON k.question_id = requested.question_id
ORDER BY requested.position
