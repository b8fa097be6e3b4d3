-- The photos of an answer as a column of its own, so that a page looks for them only where there are any
-- depends: 20261127_31_vote_bytes

-- migrate: apply

-- An answer as /v1 shows it, around its photos. A statement that does not use a column does not
-- compute it. Answers of hidden questions are included, as in v1_answer_view.
CREATE VIEW v1_answer_part_view AS
SELECT
    a.question_id,
    a.id AS answer_id,
    a.helpful,
    a.answerer_name = 'Seller' AS is_seller,
    '{"id":' || a.id
        || ',"question_id":' || a.question_id
        || ',"body":' || to_json(a.body)
        || ',"created_at":"' || iso_date(a.date_written)
        || '","author":' || to_json(a.answerer_name)
        || CASE a.answerer_name WHEN 'Seller' THEN ',"is_seller":true' ELSE ',"is_seller":false' END
        || ',"helpful":' || a.helpful
        || ',"photos":[' AS opening,
    coalesce((
        SELECT string_agg('{"id":' || p.id || ',"url":' || to_json(p.url) || '}', ','
            ORDER BY p.id)
        FROM photos p WHERE p.answer_id = a.id), '') AS photos
FROM answers a
WHERE NOT a.reported;

CREATE OR REPLACE VIEW v1_answer_view AS
SELECT question_id, answer_id, helpful, is_seller, opening || photos || ']}' AS document
FROM v1_answer_part_view;

-- migrate: rollback

CREATE OR REPLACE VIEW v1_answer_view AS
SELECT
    a.question_id,
    a.id AS answer_id,
    a.helpful,
    a.answerer_name = 'Seller' AS is_seller,
    '{"id":' || a.id
        || ',"question_id":' || a.question_id
        || ',"body":' || to_json(a.body)
        || ',"created_at":"' || iso_date(a.date_written)
        || '","author":' || to_json(a.answerer_name)
        || CASE a.answerer_name WHEN 'Seller' THEN ',"is_seller":true' ELSE ',"is_seller":false' END
        || ',"helpful":' || a.helpful
        || ',"photos":[' || coalesce((
            SELECT string_agg('{"id":' || p.id || ',"url":' || to_json(p.url) || '}', ','
                ORDER BY p.id)
            FROM photos p WHERE p.answer_id = a.id), '')
        || ']}' AS document
FROM answers a
WHERE NOT a.reported;
DROP VIEW v1_answer_part_view;
