-- One finished document for each visible question, kept equal to the view that defines it
-- depends: 20261122_01_tables

-- migrate: apply

CREATE FUNCTION iso_date(moment timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$;

-- Concatenated text rather than json_build_object: half the time (docs/decisions/0003).
CREATE VIEW question_document_view AS
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
        || '}}' AS document
FROM questions q
WHERE NOT q.reported;

-- An answer as a page of answers shows it: another key, photos with their ids.
CREATE VIEW answer_document_view AS
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

-- With room for new versions beside the old ones; and not compressed where a page can hold it,
-- for documents are read much more often than written.
CREATE TABLE question_documents (
    question_id bigint NOT NULL,
    product_id bigint NOT NULL,
    helpful integer NOT NULL,
    document text NOT NULL,
    CONSTRAINT question_documents_pkey PRIMARY KEY (question_id)
) WITH (fillfactor = 85, toast_tuple_target = 8160);

CREATE INDEX question_documents_page
    ON question_documents (product_id, helpful DESC, question_id DESC);

-- Writers of one question queue on its row, always in id order, and each statement after
-- the lock sees what the ones before it committed: the document cannot miss a write.
CREATE FUNCTION refresh_documents(changed bigint[]) RETURNS void
LANGUAGE plpgsql
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

-- A document with another number of votes: the one that follows `name` in the part that begins with
-- `part`. It takes a tenth of the time that the view takes (docs/decisions/0009). Quotes inside
-- JSON's strings are escaped, so neither is found where it is not meant.
CREATE FUNCTION with_votes(document text, part text, name text, votes integer) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    place integer := position(part IN document);
BEGIN
    place := place + position(name IN substr(document, place)) + length(name) - 1;
    RETURN overlay(document PLACING votes::text
        FROM place FOR position(',' IN substr(document, place)) - 1);
END $$;

-- An update may move a row to another parent: both sides are refreshed.
CREATE FUNCTION questions_changed() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM refresh_documents(array(SELECT id FROM changed));
    RETURN NULL;
END $$;

CREATE FUNCTION questions_updated() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    others bigint[] := array(
        SELECT coalesce(c.id, p.id)
        FROM changed c FULL JOIN previous p ON p.id = c.id
        WHERE (c.product_id, c.body, c.date_written, c.asker_name, c.reported)
            IS DISTINCT FROM (p.product_id, p.body, p.date_written, p.asker_name, p.reported));
BEGIN
    UPDATE question_documents d
    SET helpful = c.helpful,
        document = with_votes(d.document, '{', '"question_helpfulness":', c.helpful)
    FROM changed c
    WHERE d.question_id = c.id AND c.id <> ALL (others);
    IF others <> '{}' THEN
        PERFORM refresh_documents(others);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION answers_changed() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM refresh_documents(array(SELECT DISTINCT question_id FROM changed));
    RETURN NULL;
END $$;

-- The others: questions with more than a new number of votes of one answer.
CREATE FUNCTION answers_updated() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    others bigint[] := array(
        SELECT question_id FROM changed GROUP BY question_id HAVING count(*) > 1
        UNION
        SELECT unnest(array_remove(array[c.question_id, p.question_id], NULL))
        FROM changed c FULL JOIN previous p ON p.id = c.id
        WHERE (c.question_id, c.body, c.date_written, c.answerer_name, c.reported)
            IS DISTINCT FROM
            (p.question_id, p.body, p.date_written, p.answerer_name, p.reported));
BEGIN
    PERFORM 1
    FROM questions
    WHERE id = ANY (others || array(SELECT question_id FROM changed))
    ORDER BY id
    FOR NO KEY UPDATE;
    UPDATE question_documents d
    SET document = with_votes(
        d.document, '"' || c.id || '":{"id":', '"helpfulness":', c.helpful)
    FROM changed c
    WHERE d.question_id = c.question_id AND NOT c.reported AND c.question_id <> ALL (others);
    IF others <> '{}' THEN
        PERFORM refresh_documents(others);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION photos_changed() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM refresh_documents(array(
        SELECT DISTINCT a.question_id
        FROM changed c JOIN answers a ON a.id = c.answer_id));
    RETURN NULL;
END $$;

CREATE FUNCTION photos_updated() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM refresh_documents(array(
        SELECT DISTINCT a.question_id
        FROM (SELECT answer_id FROM changed UNION SELECT answer_id FROM previous) c
        JOIN answers a ON a.id = c.answer_id));
    RETURN NULL;
END $$;

CREATE FUNCTION everything_truncated() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    TRUNCATE question_documents;
    PERFORM refresh_documents(array(SELECT id FROM questions));
    RETURN NULL;
END $$;

CREATE TRIGGER question_inserted AFTER INSERT ON questions
REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION questions_changed();
CREATE TRIGGER question_updated AFTER UPDATE ON questions
REFERENCING NEW TABLE AS changed OLD TABLE AS previous
FOR EACH STATEMENT EXECUTE FUNCTION questions_updated();
CREATE TRIGGER question_deleted AFTER DELETE ON questions
REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION questions_changed();
CREATE TRIGGER questions_truncated AFTER TRUNCATE ON questions
FOR EACH STATEMENT EXECUTE FUNCTION everything_truncated();

CREATE TRIGGER answer_inserted AFTER INSERT ON answers
REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION answers_changed();
CREATE TRIGGER answer_updated AFTER UPDATE ON answers
REFERENCING NEW TABLE AS changed OLD TABLE AS previous
FOR EACH STATEMENT EXECUTE FUNCTION answers_updated();
CREATE TRIGGER answer_deleted AFTER DELETE ON answers
REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION answers_changed();
CREATE TRIGGER answers_truncated AFTER TRUNCATE ON answers
FOR EACH STATEMENT EXECUTE FUNCTION everything_truncated();

CREATE TRIGGER photo_inserted AFTER INSERT ON photos
REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION photos_changed();
CREATE TRIGGER photo_updated AFTER UPDATE ON photos
REFERENCING NEW TABLE AS changed OLD TABLE AS previous
FOR EACH STATEMENT EXECUTE FUNCTION photos_updated();
CREATE TRIGGER photo_deleted AFTER DELETE ON photos
REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION photos_changed();
CREATE TRIGGER photos_truncated AFTER TRUNCATE ON photos
FOR EACH STATEMENT EXECUTE FUNCTION everything_truncated();

-- migrate: rollback

DROP FUNCTION questions_changed, questions_updated, answers_changed, answers_updated,
    photos_changed, photos_updated, everything_truncated CASCADE;
DROP FUNCTION refresh_documents, with_votes;
DROP TABLE question_documents;
DROP VIEW question_document_view, answer_document_view;
DROP FUNCTION iso_date;
