-- What lists of questions are sorted, filtered and counted by, one row for each visible question
-- depends: 20261127_19_unanswered

-- migrate: apply

-- Waits for writers whose transactions still run the functions that this migration replaces, so that
-- the next one, which fills the table, misses none of their rows.
LOCK TABLE questions, answers, photos IN SHARE MODE;

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

-- Votes are not here: they change too often (docs/decisions/0021).
CREATE TABLE question_summaries (
    question_id bigint NOT NULL,
    product_id bigint NOT NULL,
    created_at timestamptz NOT NULL,
    answer_count integer NOT NULL,
    has_seller boolean NOT NULL,
    has_photos boolean NOT NULL,
    last_activity timestamptz NOT NULL,
    CONSTRAINT question_summaries_pkey PRIMARY KEY (question_id)
) WITH (fillfactor = 90);

CREATE INDEX question_summaries_product
    ON question_summaries (product_id, created_at, question_id);

-- An answer as /v1 shows it. Those of hidden questions are included: a statement that reads it also
-- reads the question.
CREATE VIEW v1_answer_view AS
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

-- A question as /v1 shows it, up to the number of its answers.
CREATE VIEW v1_question_view AS
SELECT
    id AS question_id,
    '{"id":' || id
        || ',"product_id":' || product_id
        || ',"body":' || to_json(body)
        || ',"created_at":"' || iso_date(date_written)
        || '","author":' || to_json(asker_name)
        || ',"helpful":' || helpful
        || ',"answer_count":' AS opening
FROM questions
WHERE NOT reported;

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

CREATE OR REPLACE FUNCTION everything_truncated() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    TRUNCATE question_documents, question_summaries;
    PERFORM refresh_documents(array(SELECT id FROM questions));
    RETURN NULL;
END $$;

-- migrate: rollback

CREATE OR REPLACE FUNCTION everything_truncated() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    TRUNCATE question_documents;
    PERFORM refresh_documents(array(SELECT id FROM questions));
    RETURN NULL;
END $$;

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
END $$;
REVOKE EXECUTE ON FUNCTION refresh_documents FROM PUBLIC;

DROP VIEW v1_question_view, v1_answer_view, question_summary_view;
DROP TABLE question_summaries;
