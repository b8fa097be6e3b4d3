-- For a partition of questions: the number of documents, how many differ from the view, and the
-- first differing ids.
SELECT
    count(*),
    count(*) FILTER (WHERE differs),
    coalesce((array_agg(question_id ORDER BY question_id) FILTER (WHERE differs))[1:5], '{}')
FROM (
    SELECT
        question_id,
        (v.product_id, v.helpful, v.document, v.answer_ids, v.answer_ranks)
            IS DISTINCT FROM
            (d.product_id, d.helpful, d.document, d.answer_ids, d.answer_ranks) AS differs
    FROM (SELECT * FROM question_document_view WHERE question_id BETWEEN $1 AND $2) AS v
    FULL JOIN (SELECT * FROM question_documents WHERE question_id BETWEEN $1 AND $2) AS d
        USING (question_id)
) AS compared
