-- The texts of questions and answers as /v1 shows them, kept beside their summaries
-- depends: 20261127_33_answers_question

-- migrate: apply

-- As in 20261127_20_summaries: the next migration must miss no row of a writer that still runs the
-- functions replaced here.
LOCK TABLE questions, answers, photos IN SHARE MODE;

-- Not compressed where a page can hold them, for they are read much more often than written. Nullable,
-- until the next migration has filled them.
ALTER TABLE question_summaries
    ADD COLUMN opening text,
    ADD COLUMN answer_ids bigint[],
    ADD COLUMN answer_openings text[],
    ADD COLUMN answer_closings text[];
ALTER TABLE question_summaries SET (toast_tuple_target = 8160);

-- An answer as /v1 shows it, up to its votes, and its photos. Answers of hidden questions are
-- included: a statement that reads it also reads the question.
CREATE VIEW v1_answer_text_view AS
SELECT
    a.question_id,
    a.id AS answer_id,
    a.helpful,
    a.answerer_name = 'Seller' AS is_seller,
    a.date_written,
    '{"id":' || a.id
        || ',"question_id":' || a.question_id
        || ',"body":' || to_json(a.body)
        || ',"created_at":"' || iso_date(a.date_written)
        || '","author":' || to_json(a.answerer_name)
        || CASE a.answerer_name WHEN 'Seller' THEN ',"is_seller":true' ELSE ',"is_seller":false' END
        || ',"helpful":' AS opening,
    coalesce((
        SELECT string_agg('{"id":' || p.id || ',"url":' || to_json(p.url) || '}', ','
            ORDER BY p.id)
        FROM photos p WHERE p.answer_id = a.id), '') AS photos
FROM answers a
WHERE NOT a.reported;

CREATE OR REPLACE VIEW v1_answer_view AS
SELECT
    question_id,
    answer_id,
    helpful,
    is_seller,
    opening || helpful || ',"photos":[' || photos || ']}' AS document
FROM v1_answer_text_view;

-- The texts up to the votes, and what follows them, of the answers in the order of their ids. Votes
-- are not in them: they change too often (docs/decisions/0021).
CREATE OR REPLACE VIEW question_summary_view AS
SELECT
    q.id AS question_id,
    q.product_id,
    q.date_written AS created_at,
    a.answer_count,
    a.has_seller,
    a.has_photos,
    greatest(q.date_written, a.last_written) AS last_activity,
    '{"id":' || q.id
        || ',"product_id":' || q.product_id
        || ',"body":' || to_json(q.body)
        || ',"created_at":"' || iso_date(q.date_written)
        || '","author":' || to_json(q.asker_name)
        || ',"helpful":' AS opening,
    a.answer_ids,
    a.answer_openings,
    a.answer_closings
FROM questions q
CROSS JOIN LATERAL (
    SELECT
        count(*)::integer AS answer_count,
        coalesce(bool_or(is_seller), false) AS has_seller,
        coalesce(bool_or(photos <> ''), false) AS has_photos,
        max(date_written) AS last_written,
        coalesce(array_agg(answer_id ORDER BY answer_id), '{}') AS answer_ids,
        coalesce(array_agg(opening ORDER BY answer_id), '{}') AS answer_openings,
        coalesce(array_agg(',"photos":[' || photos || ']}' ORDER BY answer_id), '{}')
            AS answer_closings
    FROM v1_answer_text_view
    WHERE question_id = q.id
) AS a
WHERE NOT q.reported;

CREATE OR REPLACE FUNCTION refresh_documents(changed bigint[]) RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER SET search_path = atelier, pg_temp
AS $$
BEGIN
    PERFORM 1 FROM questions WHERE id = ANY (changed) ORDER BY id FOR NO KEY UPDATE;
    DELETE FROM question_documents d
    WHERE d.question_id = ANY (changed)
      AND NOT EXISTS (SELECT 1 FROM questions q WHERE q.id = d.question_id AND NOT q.reported);
    INSERT INTO question_documents (question_id, product_id, helpful, document)
    SELECT question_id, product_id, helpful, document
    FROM question_document_view WHERE question_id = ANY (changed)
    ON CONFLICT (question_id) DO UPDATE
    SET product_id = excluded.product_id,
        helpful = excluded.helpful,
        document = excluded.document;
    DELETE FROM question_summaries s
    WHERE s.question_id = ANY (changed)
      AND NOT EXISTS (SELECT 1 FROM questions q WHERE q.id = s.question_id AND NOT q.reported);
    INSERT INTO question_summaries (
        question_id, product_id, created_at, answer_count, has_seller, has_photos, last_activity,
        opening, answer_ids, answer_openings, answer_closings)
    SELECT
        question_id, product_id, created_at, answer_count, has_seller, has_photos, last_activity,
        opening, answer_ids, answer_openings, answer_closings
    FROM question_summary_view WHERE question_id = ANY (changed)
    ON CONFLICT (question_id) DO UPDATE
    SET product_id = excluded.product_id,
        created_at = excluded.created_at,
        answer_count = excluded.answer_count,
        has_seller = excluded.has_seller,
        has_photos = excluded.has_photos,
        last_activity = excluded.last_activity,
        opening = excluded.opening,
        answer_ids = excluded.answer_ids,
        answer_openings = excluded.answer_openings,
        answer_closings = excluded.answer_closings;
END $$;
REVOKE EXECUTE ON FUNCTION refresh_documents FROM PUBLIC;

-- migrate: rollback

CREATE OR REPLACE FUNCTION refresh_documents(changed bigint[]) RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER SET search_path = atelier, pg_temp
AS $$
BEGIN
    PERFORM 1 FROM questions WHERE id = ANY (changed) ORDER BY id FOR NO KEY UPDATE;
    DELETE FROM question_documents d
    WHERE d.question_id = ANY (changed)
      AND NOT EXISTS (SELECT 1 FROM questions q WHERE q.id = d.question_id AND NOT q.reported);
    INSERT INTO question_documents (question_id, product_id, helpful, document)
    SELECT question_id, product_id, helpful, document
    FROM question_document_view WHERE question_id = ANY (changed)
    ON CONFLICT (question_id) DO UPDATE
    SET product_id = excluded.product_id,
        helpful = excluded.helpful,
        document = excluded.document;
    DELETE FROM question_summaries s
    WHERE s.question_id = ANY (changed)
      AND NOT EXISTS (SELECT 1 FROM questions q WHERE q.id = s.question_id AND NOT q.reported);
    INSERT INTO question_summaries (
        question_id, product_id, created_at, answer_count, has_seller, has_photos, last_activity)
    SELECT
        question_id, product_id, created_at, answer_count, has_seller, has_photos, last_activity
    FROM question_summary_view WHERE question_id = ANY (changed)
    ON CONFLICT (question_id) DO UPDATE
    SET product_id = excluded.product_id,
        created_at = excluded.created_at,
        answer_count = excluded.answer_count,
        has_seller = excluded.has_seller,
        has_photos = excluded.has_photos,
        last_activity = excluded.last_activity;
END $$;
REVOKE EXECUTE ON FUNCTION refresh_documents FROM PUBLIC;

-- Columns cannot be taken from a view that exists.
DROP VIEW question_summary_view;
CREATE VIEW question_summary_view AS
SELECT
    q.id AS question_id,
    q.product_id,
    q.date_written AS created_at,
    a.answer_count,
    a.has_seller,
    a.has_photos,
    greatest(q.date_written, a.last_written) AS last_activity
FROM questions q
CROSS JOIN LATERAL (
    SELECT
        count(*)::integer AS answer_count,
        coalesce(bool_or(answerer_name = 'Seller'), false) AS has_seller,
        coalesce(bool_or(EXISTS (SELECT FROM photos p WHERE p.answer_id = answers.id)), false)
            AS has_photos,
        max(date_written) AS last_written
    FROM answers
    WHERE question_id = q.id AND NOT reported
) AS a
WHERE NOT q.reported;

CREATE OR REPLACE VIEW v1_answer_view AS
SELECT question_id, answer_id, helpful, is_seller, opening || photos || ']}' AS document
FROM v1_answer_part_view;
DROP VIEW v1_answer_text_view;
ALTER TABLE question_summaries RESET (toast_tuple_target);
ALTER TABLE question_summaries
    DROP COLUMN opening,
    DROP COLUMN answer_ids,
    DROP COLUMN answer_openings,
    DROP COLUMN answer_closings;
