-- Single answers for /v1, in the order of the request; null if they or their questions are hidden or
-- unknown.
SELECT convert_to(a.document, 'UTF8') AS document, convert_to({server} || d.xmin::text, 'UTF8') AS version
FROM unnest($1::bigint[]) WITH ORDINALITY AS requested (answer_id, position)
LEFT JOIN (v1_answer_view a JOIN question_documents d ON d.question_id = a.question_id)
    ON a.answer_id = requested.answer_id
ORDER BY requested.position
