-- The change feed: an event for each change of content, in commit order
-- depends: 20261127_13_moderation

-- migrate: apply

-- A writer inserts its events without a position; they get one from position_changes once they are
-- committed, so writers do not wait for each other and a rollback leaves no gap
-- (docs/decisions/0017). Only the indexes that a reader needs: a write pays for each of them.
CREATE TABLE changes (
    id bigint GENERATED ALWAYS AS IDENTITY,
    position bigint,
    kind text NOT NULL CHECK (kind IN ('asked', 'answered', 'reported', 'held', 'removed',
        'restored', 'edited', 'erased', 'imported')),
    target text NOT NULL CHECK (target IN ('question', 'answer', 'all')),
    target_id bigint,
    question_id bigint,
    product_id bigint,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX changes_position ON changes (position) WHERE position IS NOT NULL;
CREATE INDEX changes_unpositioned ON changes (target_id) WHERE position IS NULL;

-- The kind of a change. Whoever changes rows for a reason that the rows do not tell names the kind:
-- set_config('atelier.change', 'removed', true). `hidden_before` is null for a new row, `hidden_now`
-- for a deleted one.
CREATE FUNCTION change_kind(created text, hidden_before boolean, hidden_now boolean) RETURNS text
LANGUAGE sql STABLE
AS $$
    SELECT CASE
        WHEN hidden_before IS NULL AND NOT hidden_now THEN created
        WHEN current_setting('atelier.change', true) <> '' THEN
            current_setting('atelier.change', true)
        WHEN hidden_before IS NULL THEN 'held'
        WHEN hidden_now IS NULL THEN 'erased'
        WHEN hidden_now AND NOT hidden_before THEN 'reported'
        WHEN hidden_before AND NOT hidden_now THEN 'restored'
        ELSE 'edited'
    END
$$;

-- Gives the committed events without a position the next ones; returns their number and the newest
-- position. Events of one question have ids in commit order, because they are inserted under its
-- lock: a later one is not visible here without the earlier one. The update is a statement of its
-- own, so that it sees what was committed before the lock was granted. One call positions a limited
-- number, to end within a statement's timeout.
CREATE FUNCTION position_changes(OUT positioned bigint, OUT newest bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = atelier, pg_temp
AS $$
BEGIN
    positioned := 0;
    IF EXISTS (SELECT FROM changes WHERE position IS NULL) THEN
        PERFORM pg_advisory_xact_lock(18973591113000307);
        UPDATE changes c
        SET position = next.position
        FROM (
            SELECT
                ctid,
                (SELECT coalesce(max(position), 0) FROM changes WHERE position IS NOT NULL)
                    + row_number() OVER (ORDER BY id) AS position
            FROM changes
            WHERE position IS NULL
            ORDER BY id
            LIMIT 10000
        ) next
        WHERE c.ctid = next.ctid;
        GET DIAGNOSTICS positioned = ROW_COUNT;
    END IF;
    newest := (SELECT coalesce(max(position), 0) FROM changes WHERE position IS NOT NULL);
END $$;

-- Runs as the owner: the service's role can post but not write events.
CREATE FUNCTION record_questions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = atelier, pg_temp
AS $$
BEGIN
    INSERT INTO changes (kind, target, target_id, question_id, product_id)
    SELECT
        CASE TG_OP
            WHEN 'INSERT' THEN change_kind('asked', NULL, c.reported)
            ELSE change_kind('asked', c.reported, NULL)
        END,
        'question', c.id, c.id, c.product_id
    FROM changed c
    ORDER BY c.id;
    RETURN NULL;
END $$;

CREATE FUNCTION record_answers() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = atelier, pg_temp
AS $$
BEGIN
    INSERT INTO changes (kind, target, target_id, question_id, product_id)
    SELECT
        CASE TG_OP
            WHEN 'INSERT' THEN change_kind('answered', NULL, c.reported)
            ELSE change_kind('answered', c.reported, NULL)
        END,
        'answer', c.id, c.question_id, q.product_id
    FROM changed c LEFT JOIN questions q ON q.id = c.question_id
    ORDER BY c.id;
    RETURN NULL;
END $$;

-- A photo that changes after its answer was written is an edit of the answer.
CREATE FUNCTION record_photos() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = atelier, pg_temp
AS $$
BEGIN
    INSERT INTO changes (kind, target, target_id, question_id, product_id)
    SELECT
        change_kind('edited', a.reported, a.reported), 'answer', a.id, a.question_id, q.product_id
    FROM answers a JOIN questions q ON q.id = a.question_id
    WHERE a.id IN (SELECT answer_id FROM changed)
      AND NOT EXISTS (
          SELECT FROM changes c
          WHERE c.position IS NULL
            AND c.target_id = a.id
            AND c.target = 'answer'
            AND c.xmin = pg_current_xact_id()::xid)
    ORDER BY a.id;
    RETURN NULL;
END $$;

CREATE FUNCTION record_moved_photos() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = atelier, pg_temp
AS $$
BEGIN
    INSERT INTO changes (kind, target, target_id, question_id, product_id)
    SELECT
        change_kind('edited', a.reported, a.reported), 'answer', a.id, a.question_id, q.product_id
    FROM answers a JOIN questions q ON q.id = a.question_id
    WHERE a.id IN (SELECT answer_id FROM changed UNION SELECT answer_id FROM previous)
    ORDER BY a.id;
    RETURN NULL;
END $$;

CREATE FUNCTION record_truncation() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = atelier, pg_temp
AS $$
BEGIN
    INSERT INTO changes (kind, target) VALUES ('imported', 'all');
    RETURN NULL;
END $$;

-- Triggers fire in the order of their names: these after those of the documents, which lock the
-- questions. A bulk import records one event for all of its rows instead.
CREATE TRIGGER record_inserted_questions AFTER INSERT ON questions
REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT WHEN (current_setting('atelier.change', true) IS DISTINCT FROM 'imported')
EXECUTE FUNCTION record_questions();
CREATE TRIGGER record_deleted_questions AFTER DELETE ON questions
REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION record_questions();
CREATE TRIGGER record_truncated_questions AFTER TRUNCATE ON questions
FOR EACH STATEMENT EXECUTE FUNCTION record_truncation();

CREATE TRIGGER record_inserted_answers AFTER INSERT ON answers
REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT WHEN (current_setting('atelier.change', true) IS DISTINCT FROM 'imported')
EXECUTE FUNCTION record_answers();
CREATE TRIGGER record_deleted_answers AFTER DELETE ON answers
REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION record_answers();
CREATE TRIGGER record_truncated_answers AFTER TRUNCATE ON answers
FOR EACH STATEMENT EXECUTE FUNCTION record_truncation();

CREATE TRIGGER record_inserted_photos AFTER INSERT ON photos
REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT WHEN (current_setting('atelier.change', true) IS DISTINCT FROM 'imported')
EXECUTE FUNCTION record_photos();
CREATE TRIGGER record_updated_photos AFTER UPDATE ON photos
REFERENCING NEW TABLE AS changed OLD TABLE AS previous
FOR EACH STATEMENT EXECUTE FUNCTION record_moved_photos();
CREATE TRIGGER record_deleted_photos AFTER DELETE ON photos
REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION record_photos();
CREATE TRIGGER record_truncated_photos AFTER TRUNCATE ON photos
FOR EACH STATEMENT EXECUTE FUNCTION record_truncation();

-- Updates are recorded by the functions that already tell votes from other changes, in the branch
-- that a vote does not enter: a trigger of their own would cost each vote a comparison.
CREATE OR REPLACE FUNCTION questions_updated() RETURNS trigger
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
        INSERT INTO changes (kind, target, target_id, question_id, product_id)
        SELECT
            change_kind('asked', p.reported, c.reported), 'question', other.id, other.id,
            coalesce(c.product_id, p.product_id)
        FROM unnest(others) AS other (id)
        LEFT JOIN changed c ON c.id = other.id
        LEFT JOIN previous p ON p.id = other.id
        ORDER BY other.id;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION answers_updated() RETURNS trigger
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
        INSERT INTO changes (kind, target, target_id, question_id, product_id)
        SELECT
            change_kind('answered', p.reported, c.reported), 'answer', coalesce(c.id, p.id),
            q.id, q.product_id
        FROM changed c
        FULL JOIN previous p ON p.id = c.id
        JOIN questions q ON q.id = coalesce(c.question_id, p.question_id)
        WHERE (c.question_id, c.body, c.date_written, c.answerer_name, c.reported)
            IS DISTINCT FROM
            (p.question_id, p.body, p.date_written, p.answerer_name, p.reported)
        ORDER BY coalesce(c.id, p.id);
    END IF;
    RETURN NULL;
END $$;

REVOKE EXECUTE ON FUNCTION position_changes FROM PUBLIC;

-- migrate: rollback

CREATE OR REPLACE FUNCTION questions_updated() RETURNS trigger
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

CREATE OR REPLACE FUNCTION answers_updated() RETURNS trigger
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

DROP FUNCTION record_questions, record_answers, record_photos, record_moved_photos,
    record_truncation CASCADE;
DROP FUNCTION position_changes, change_kind;
DROP TABLE changes;
