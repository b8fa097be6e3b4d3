-- Single questions for /v1 with their first answers, in the order of the request; null if hidden
-- or unknown.
SELECT
    convert_to(
        q.opening || s.answer_count || ',"answers":[' || coalesce((
            SELECT string_agg(document, ',')
            FROM (
                SELECT document
                FROM v1_answer_view a
                WHERE a.question_id = requested.question_id
                ORDER BY a.is_seller DESC, a.helpful DESC, a.answer_id DESC
                LIMIT requested.answers_limit
            ) AS answers), '') || ']}',
        'UTF8') AS document
FROM unnest($1::bigint[], $2::bigint[])
    WITH ORDINALITY AS requested (question_id, answers_limit, position)
LEFT JOIN question_summaries s ON s.question_id = requested.question_id
LEFT JOIN v1_question_view q ON q.question_id = s.question_id
ORDER BY requested.position
