-- Pages of answers show the photos that the summaries have as text, and do not look them up
-- depends: 20261127_38_voters_by_index

-- migrate: apply

-- A question has a summary as long as it is visible. Where it has very many answers, each look into
-- its texts takes longer than looking up the photos.
CREATE OR REPLACE VIEW answer_document_view AS
SELECT
    a.question_id,
    a.id AS answer_id,
    a.helpful,
    '{"answer_id":' || a.id
        || ',"body":' || to_json(a.body)
        || ',"date":"' || iso_date(a.date_written)
        || '","answerer_name":' || to_json(a.answerer_name)
        || ',"helpfulness":' || a.helpful
        || CASE
            WHEN s.answer_count <= 100
                THEN s.answer_closings[array_position(s.answer_ids, a.id)]
            ELSE ',"photos":['
                || (SELECT t.photos FROM v1_answer_text_view t WHERE t.answer_id = a.id) || ']}'
        END AS document
FROM answers a
JOIN question_summaries s ON s.question_id = a.question_id
WHERE NOT a.reported;

-- migrate: rollback

CREATE OR REPLACE VIEW answer_document_view AS
SELECT
    a.question_id,
    a.id AS answer_id,
    a.helpful,
    '{"answer_id":' || a.id
        || ',"body":' || to_json(a.body)
        || ',"date":"' || iso_date(a.date_written)
        || '","answerer_name":' || to_json(a.answerer_name)
        || ',"helpfulness":' || a.helpful
        || ',"photos":[' || coalesce((
            SELECT string_agg('{"id":' || p.id || ',"url":' || to_json(p.url) || '}', ','
                ORDER BY p.id)
            FROM photos p WHERE p.answer_id = a.id), '')
        || ']}' AS document
FROM answers a
JOIN questions q ON q.id = a.question_id
WHERE NOT a.reported AND NOT q.reported;
