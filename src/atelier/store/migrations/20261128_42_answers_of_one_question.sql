-- Writing one question's document reads that question's answers alone
-- depends: 20261128_41_fill_answer_ranks

-- migrate: apply

-- As 40_answer_ranks has it now: it first had a view that grouped the answers of all questions.
-- LATERAL and without GROUP BY, or else a statement on one question would group the answers of all.
CREATE OR REPLACE VIEW question_document_view AS
SELECT
    q.id AS question_id,
    q.product_id,
    q.helpful,
    '{"question_id":' || q.id
        || ',"question_body":' || to_json(q.body)
        || ',"question_date":"' || iso_date(q.date_written)
        || '","asker_name":' || to_json(q.asker_name)
        || ',"question_helpfulness":' || q.helpful
        || ',"reported":false,"answers":{'
        || coalesce((
            SELECT string_agg(
                '"' || a.id || '":{"id":' || a.id
                    || ',"body":' || to_json(a.body)
                    || ',"date":"' || iso_date(a.date_written)
                    || '","answerer_name":' || to_json(a.answerer_name)
                    || ',"helpfulness":' || a.helpful
                    || ',"photos":[' || coalesce((
                        SELECT string_agg(to_json(p.url)::text, ',' ORDER BY p.id)
                        FROM photos p WHERE p.answer_id = a.id), '') || ']}',
                ',' ORDER BY a.id)
            FROM answers a WHERE a.question_id = q.id AND NOT a.reported), '')
        || '}}' AS document,
    shown.answer_ids,
    shown.answer_ranks
FROM questions q
CROSS JOIN LATERAL (
    SELECT
        coalesce(array_agg(a.id ORDER BY a.id), '{}') AS answer_ids,
        coalesce(array_agg(answer_rank(a.helpful, a.answerer_name) ORDER BY a.id), '{}')
            AS answer_ranks
    FROM answers a WHERE a.question_id = q.id AND NOT a.reported
) AS shown
WHERE NOT q.reported;

DROP VIEW IF EXISTS answer_rank_view;

-- migrate: rollback
