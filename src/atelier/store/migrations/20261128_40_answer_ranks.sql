-- Votes on answers lock and rewrite the document alone, which keeps them for /v1 as well
-- depends: 20261127_39_photos_of_answers

-- migrate: apply

-- Waits for writers that still lock in the old order, and whose documents lack what is added here.
LOCK TABLE questions, answers, photos IN SHARE MODE;

-- Nullable, until the next migration has filled it.
ALTER TABLE question_documents
    ADD COLUMN answer_ids bigint[],
    ADD COLUMN answer_ranks bigint[];

-- What /v1 sorts answers by, the highest first: the votes, and another bit for an answer by "Seller".
CREATE FUNCTION answer_rank(helpful integer, answerer_name text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT helpful + CASE answerer_name WHEN 'Seller' THEN 2147483648 ELSE 0 END
$$;

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

-- As every writer does that changes more than votes: questions first, then their documents, each in the
-- order of ids. Returns the ids of the questions that exist.
CREATE FUNCTION lock_questions(ids bigint[]) RETURNS bigint[]
LANGUAGE plpgsql
AS $$
DECLARE
    known bigint[] := array(
        SELECT id FROM questions WHERE id = ANY (ids) ORDER BY id FOR NO KEY UPDATE);
BEGIN
    PERFORM 1
    FROM question_documents
    WHERE question_id = ANY (known)
    ORDER BY question_id
    FOR NO KEY UPDATE;
    RETURN known;
END $$;

CREATE OR REPLACE FUNCTION lock_posts(targets text[], ids bigint[]) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    their_questions bigint[] := array(
        SELECT a.question_id
        FROM unnest(targets, ids) AS p (target, id) JOIN answers a ON a.id = p.id
        WHERE p.target = 'answer');
BEGIN
    PERFORM lock_questions(their_questions || array(
        SELECT p.id FROM unnest(targets, ids) AS p (target, id) WHERE p.target = 'question'));
END $$;

-- Locks what votes and reports need, in the order in which every writer locks: questions, documents, each
-- in the order of ids; then answers. Returns the ids that exist of what is voted on or reported.
-- The document guards the votes of its answers, so that a vote on an answer writes nothing to the
-- question's row. What may change a question's visible content locks the question too: a report does.
-- A hidden question has no document, so the question is its guard.
CREATE FUNCTION lock_voted(
    targets text[],
    ids bigint[],
    actions text[],
    OUT known_questions bigint[],
    OUT known_answers bigint[]
)
LANGUAGE plpgsql
AS $$
DECLARE
    their_questions bigint[];
    guards bigint[];
    shown bigint[];
BEGIN
    SELECT
        array_agg(a.id),
        array_agg(a.question_id),
        array_agg(a.question_id) FILTER (
            WHERE NOT EXISTS (SELECT FROM question_documents d WHERE d.question_id = a.question_id)
               OR a.id = ANY (array(
                   SELECT v.id
                   FROM unnest(targets, ids, actions) AS v (target, id, action)
                   WHERE v.target = 'answer' AND v.action = 'report')))
    INTO known_answers, their_questions, guards
    FROM answers a
    WHERE a.id = ANY (
        array(SELECT v.id FROM unnest(targets, ids) AS v (target, id) WHERE v.target = 'answer'));

    IF guards IS NOT NULL OR 'question' = ANY (targets) THEN
        known_questions := array(
            SELECT id
            FROM questions
            WHERE id = ANY (guards || array(
                SELECT v.id FROM unnest(targets, ids) AS v (target, id) WHERE v.target = 'question'))
            ORDER BY id
            FOR NO KEY UPDATE);
    END IF;

    shown := array(
        SELECT question_id
        FROM question_documents
        WHERE question_id = ANY (their_questions || known_questions)
        ORDER BY question_id
        FOR NO KEY UPDATE);
    IF NOT their_questions <@ (shown || known_questions) THEN  -- hidden meanwhile
        PERFORM lock_questions(array(
            SELECT q.id
            FROM unnest(their_questions) AS q (id)
            WHERE q.id <> ALL (shown || known_questions)));
    END IF;
END $$;

CREATE OR REPLACE FUNCTION count_votes(
    targets text[],
    ids bigint[],
    actions text[],
    times integer[],
    keys text[],
    fingerprints bytea[],
    key_lifetime interval
) RETURNS SETOF bigint
LANGUAGE plpgsql
SECURITY DEFINER SET search_path = atelier, pg_temp
AS $$
DECLARE
    known_questions bigint[];
    known_answers bigint[];
BEGIN
    SELECT * INTO known_questions, known_answers FROM lock_voted(targets, ids, actions);

    RETURN QUERY
    WITH known AS MATERIALIZED (
        SELECT v.*
        FROM unnest(targets, ids, actions, times, keys, fingerprints)
            WITH ORDINALITY AS v (target, id, action, times, key, fingerprint, position)
        WHERE v.id = ANY (
            CASE v.target WHEN 'question' THEN known_questions ELSE known_answers END)
    ),
    claimed AS (
        INSERT INTO idempotency_keys AS k (key, fingerprint)
        SELECT DISTINCT ON (v.key) v.key, v.fingerprint
        FROM known v
        WHERE v.key IS NOT NULL
        ORDER BY v.key, v.position
        ON CONFLICT (key) DO UPDATE
        SET fingerprint = excluded.fingerprint, created_at = excluded.created_at
        WHERE k.created_at < now() - key_lifetime
        RETURNING k.key, k.fingerprint
    ),
    counted AS MATERIALIZED (
        SELECT v.*
        FROM known v LEFT JOIN claimed c ON c.key = v.key AND c.fingerprint = v.fingerprint
        WHERE v.key IS NULL OR c.key IS NOT NULL
    ),
    tally AS MATERIALIZED (
        SELECT
            v.target,
            v.id,
            coalesce(sum(v.times) FILTER (WHERE v.action = 'helpful'), 0) AS helpful,
            bool_or(v.action = 'report') AS reported
        FROM counted v
        GROUP BY v.target, v.id
    ),
    voted_questions AS (
        UPDATE questions q
        SET helpful = least(q.helpful + t.helpful, 2147483647),
            reported = q.reported OR t.reported
        FROM tally t
        WHERE t.target = 'question' AND q.id = t.id
    ),
    voted_answers AS (
        UPDATE answers a
        SET helpful = least(a.helpful + t.helpful, 2147483647),
            reported = a.reported OR t.reported
        FROM tally t
        WHERE t.target = 'answer' AND a.id = t.id
    )
    SELECT v.position FROM counted v;
END $$;

CREATE OR REPLACE FUNCTION count_votes_once(
    targets text[],
    ids bigint[],
    actions text[],
    keys text[],
    fingerprints bytea[],
    reasons text[],
    checked bytea[],
    stored bytea[],
    reports_to_hide integer,
    every_report_hides boolean,
    key_lifetime interval
) RETURNS TABLE (applied bigint, is_counted boolean)
LANGUAGE plpgsql
SECURITY DEFINER SET search_path = atelier, pg_temp
SET enable_seqscan = off
AS $$
DECLARE
    known_questions bigint[];
    known_answers bigint[];
BEGIN
    SELECT * INTO known_questions, known_answers FROM lock_voted(targets, ids, actions);

    RETURN QUERY
    WITH known AS MATERIALIZED (
        SELECT v.*
        FROM unnest(targets, ids, actions, keys, fingerprints, reasons, checked, stored)
            WITH ORDINALITY
            AS v (target, id, action, key, fingerprint, reason, checked, stored, position)
        WHERE v.id = ANY (
            CASE v.target WHEN 'question' THEN known_questions ELSE known_answers END)
    ),
    claimed AS (
        INSERT INTO idempotency_keys AS k (key, fingerprint)
        SELECT DISTINCT ON (v.key) v.key, v.fingerprint
        FROM known v
        WHERE v.key IS NOT NULL
        ORDER BY v.key, v.position
        ON CONFLICT (key) DO UPDATE
        SET fingerprint = excluded.fingerprint, created_at = excluded.created_at
        WHERE k.created_at < now() - key_lifetime
        RETURNING k.key, k.fingerprint
    ),
    done AS MATERIALIZED (
        SELECT v.*
        FROM known v LEFT JOIN claimed c ON c.key = v.key AND c.fingerprint = v.fingerprint
        WHERE v.key IS NULL OR c.key IS NOT NULL
    ),
    checks AS MATERIALIZED (
        SELECT d.position, d.target, d.id, d.action, d.reason,
            substr(d.checked, 16 * n + 1, 16) AS hash
        FROM done d CROSS JOIN generate_series(0, length(d.checked) / 16 - 1) n
    ),
    new_voters AS MATERIALIZED (
        SELECT d.position, d.target, d.id, d.action, substr(d.stored, 16 * n + 1, 16) AS hash
        FROM done d CROSS JOIN generate_series(0, length(d.stored) / 16 - 1) n
    ),
    duplicates AS MATERIALIZED (
        SELECT c.position
        FROM checks c
        WHERE (  -- a join might be planned as a scan of all voters
            SELECT true
            FROM voters v
            WHERE v.target_id = c.id
              AND v.voter = c.hash
              AND v.target = c.target
              AND v.action = c.action)
        UNION
        SELECT later.position
        FROM checks later JOIN new_voters earlier USING (hash, target, id, action)
        WHERE earlier.position < later.position
    ),
    counted AS MATERIALIZED (
        SELECT d.*, duplicates.position IS NULL AS is_first
        FROM done d LEFT JOIN duplicates USING (position)
    ),
    inserted_voters AS (
        INSERT INTO voters (target_id, voter, target, action)
        SELECT v.id, v.hash, v.target, v.action
        FROM new_voters v JOIN counted c USING (position)
        WHERE c.is_first
        ON CONFLICT DO NOTHING
    ),
    inserted_reports AS (
        INSERT INTO reports (target_id, reporter, target, reason)
        SELECT c.id, substr(c.stored, 1, 16), c.target, c.reason
        FROM counted c
        WHERE c.action = 'report' AND c.is_first
        ON CONFLICT DO NOTHING
    ),
    added_reasons AS (
        UPDATE reports r
        SET reason = c.reason
        FROM checks c
        WHERE c.action = 'report'
          AND c.reason IS NOT NULL
          AND r.target_id = c.id
          AND r.reporter = c.hash
          AND r.target = c.target
          AND r.reason IS NULL
    ),
    tally AS MATERIALIZED (
        SELECT
            c.target,
            c.id,
            count(*) FILTER (WHERE c.action = 'helpful' AND c.is_first) AS helpful,
            count(*) FILTER (WHERE c.action = 'report' AND c.is_first) AS reports,
            bool_or(c.action = 'report') AND every_report_hides AS is_hidden
        FROM counted c
        GROUP BY c.target, c.id
    ),
    changes AS MATERIALIZED (
        SELECT t.target, t.id, t.helpful, is_hidden OR (
            t.reports > 0 AND t.reports + (
                SELECT count(*) FROM reports r WHERE r.target_id = t.id AND r.target = t.target
            ) >= reports_to_hide) AS is_hidden
        FROM tally t
        WHERE t.helpful > 0 OR t.reports > 0 OR t.is_hidden
    ),
    voted_questions AS (
        UPDATE questions q
        SET helpful = least(q.helpful + c.helpful, 2147483647),
            reported = q.reported OR c.is_hidden
        FROM changes c
        WHERE c.target = 'question' AND q.id = c.id AND (c.helpful > 0 OR c.is_hidden)
    ),
    voted_answers AS (
        UPDATE answers a
        SET helpful = least(a.helpful + c.helpful, 2147483647),
            reported = a.reported OR c.is_hidden
        FROM changes c
        WHERE c.target = 'answer' AND a.id = c.id AND (c.helpful > 0 OR c.is_hidden)
    )
    SELECT c.position, c.is_first OR (every_report_hides AND c.action = 'report') FROM counted c;
END $$;

-- It waits for votes on the same post and they for it, so of concurrent calls only one finds the vote.
CREATE OR REPLACE FUNCTION take_back_vote(
    of_target text,
    of_id bigint,
    own_hashes bytea[],
    shared_hashes bytea[],
    vote_key text,
    vote_fingerprint bytea,
    key_lifetime interval
) RETURNS text
LANGUAGE plpgsql
SECURITY DEFINER SET search_path = atelier, pg_temp
AS $$
DECLARE
    claimed text;
    voted_at timestamptz;
BEGIN
    IF lock_questions(array(
        SELECT of_id WHERE of_target = 'question'
        UNION ALL
        SELECT a.question_id FROM answers a WHERE a.id = of_id AND of_target = 'answer')) = '{}'
    THEN
        RETURN 'NO_TARGET';
    END IF;

    claimed := claim_post(NULL, vote_key, vote_fingerprint, key_lifetime, NULL, NULL);
    IF claimed <> 'DONE' THEN
        RETURN claimed;
    END IF;

    DELETE FROM voters v
    WHERE v.target_id = of_id AND v.target = of_target AND v.action = 'helpful'
      AND v.voter = ANY (own_hashes)
    RETURNING v.created_at INTO voted_at;
    IF NOT FOUND THEN
        RETURN 'DUPLICATE';
    END IF;
    DELETE FROM voters v
    WHERE v.target_id = of_id AND v.target = of_target AND v.action = 'helpful'
      AND v.voter = ANY (shared_hashes) AND v.created_at = voted_at;

    IF of_target = 'question' THEN
        UPDATE questions q SET helpful = greatest(q.helpful - 1, 0) WHERE q.id = of_id;
    ELSE
        UPDATE answers a SET helpful = greatest(a.helpful - 1, 0) WHERE a.id = of_id;
    END IF;
    RETURN 'DONE';
END $$;

CREATE OR REPLACE FUNCTION refresh_documents(changed bigint[]) RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER SET search_path = atelier, pg_temp
AS $$
BEGIN
    PERFORM lock_questions(changed);
    DELETE FROM question_documents d
    WHERE d.question_id = ANY (changed)
      AND NOT EXISTS (SELECT 1 FROM questions q WHERE q.id = d.question_id AND NOT q.reported);
    INSERT INTO question_documents (question_id, product_id, helpful, document, answer_ids, answer_ranks)
    SELECT question_id, product_id, helpful, document, answer_ids, answer_ranks
    FROM question_document_view WHERE question_id = ANY (changed)
    ON CONFLICT (question_id) DO UPDATE
    SET product_id = excluded.product_id,
        helpful = excluded.helpful,
        document = excluded.document,
        answer_ids = excluded.answer_ids,
        answer_ranks = excluded.answer_ranks;
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

-- The others: questions with more than new votes. Fewer documents are written than answers voted on if
-- several are of one question, whose document is then made anew, or if some or their questions are
-- hidden; a question may be restored meanwhile. The view is read after the lock, so it misses no vote.
CREATE OR REPLACE FUNCTION answers_updated() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    others bigint[];
    number integer;
    shown bigint[];
    written integer;
    repeated bigint[];
    hidden bigint[];
BEGIN
    SELECT
        array_remove(
            array_agg(new_question) FILTER (WHERE is_other)
                || array_agg(old_question) FILTER (WHERE is_other),
            NULL),
        count(new_question)
    INTO others, number
    FROM (
        SELECT
            c.question_id AS new_question,
            p.question_id AS old_question,
            (c.question_id, c.body, c.date_written, c.answerer_name, c.reported)
                IS DISTINCT FROM
                (p.question_id, p.body, p.date_written, p.answerer_name, p.reported) AS is_other
        FROM changed c FULL JOIN previous p ON p.id = c.id
    ) AS answers;
    others := coalesce(others, '{}');
    IF others <> '{}' THEN
        PERFORM lock_questions(others);
    END IF;
    shown := array(
        SELECT question_id
        FROM question_documents
        WHERE question_id = ANY (array(SELECT question_id FROM changed))
        ORDER BY question_id
        FOR NO KEY UPDATE);
    UPDATE question_documents d
    SET document = with_votes(
            d.document, '"' || c.id || '":{"id":', '"helpfulness":', c.helpful),
        answer_ranks[coalesce(array_position(d.answer_ids, c.id), 1)] =  -- 1: not filled yet
            answer_rank(c.helpful, c.answerer_name)
    FROM changed c
    WHERE d.question_id = c.question_id AND NOT c.reported AND c.question_id <> ALL (others);
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written < number THEN
        repeated := array(
            SELECT question_id FROM changed GROUP BY question_id HAVING count(*) > 1);
        IF repeated <> '{}' THEN
            UPDATE question_documents d
            SET document = v.document, answer_ids = v.answer_ids, answer_ranks = v.answer_ranks
            FROM question_document_view v
            WHERE d.question_id = v.question_id
              AND v.question_id = ANY (repeated)
              AND v.question_id <> ALL (others);
        END IF;
        hidden := array(
            SELECT question_id FROM changed WHERE question_id <> ALL (shown || others));
        IF hidden <> '{}' THEN
            PERFORM 1 FROM questions WHERE id = ANY (hidden) ORDER BY id FOR NO KEY UPDATE;
            others := others || array(
                SELECT question_id FROM question_documents WHERE question_id = ANY (hidden));
        END IF;
    END IF;
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

-- migrate: rollback

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

CREATE OR REPLACE FUNCTION take_back_vote(
    of_target text,
    of_id bigint,
    own_hashes bytea[],
    shared_hashes bytea[],
    vote_key text,
    vote_fingerprint bytea,
    key_lifetime interval
) RETURNS text
LANGUAGE plpgsql
SECURITY DEFINER SET search_path = atelier, pg_temp
AS $$
DECLARE
    claimed text;
    voted_at timestamptz;
BEGIN
    PERFORM 1
    FROM questions q
    WHERE q.id = CASE of_target
        WHEN 'question' THEN of_id
        ELSE (SELECT a.question_id FROM answers a WHERE a.id = of_id)
    END
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN 'NO_TARGET';
    END IF;

    claimed := claim_post(NULL, vote_key, vote_fingerprint, key_lifetime, NULL, NULL);
    IF claimed <> 'DONE' THEN
        RETURN claimed;
    END IF;

    DELETE FROM voters v
    WHERE v.target_id = of_id AND v.target = of_target AND v.action = 'helpful'
      AND v.voter = ANY (own_hashes)
    RETURNING v.created_at INTO voted_at;
    IF NOT FOUND THEN
        RETURN 'DUPLICATE';
    END IF;
    DELETE FROM voters v
    WHERE v.target_id = of_id AND v.target = of_target AND v.action = 'helpful'
      AND v.voter = ANY (shared_hashes) AND v.created_at = voted_at;

    IF of_target = 'question' THEN
        UPDATE questions q SET helpful = greatest(q.helpful - 1, 0) WHERE q.id = of_id;
    ELSE
        UPDATE answers a SET helpful = greatest(a.helpful - 1, 0) WHERE a.id = of_id;
    END IF;
    RETURN 'DONE';
END $$;

CREATE OR REPLACE FUNCTION count_votes_once(
    targets text[],
    ids bigint[],
    actions text[],
    keys text[],
    fingerprints bytea[],
    reasons text[],
    checked bytea[],
    stored bytea[],
    reports_to_hide integer,
    every_report_hides boolean,
    key_lifetime interval
) RETURNS TABLE (applied bigint, is_counted boolean)
LANGUAGE plpgsql
SECURITY DEFINER SET search_path = atelier, pg_temp
SET enable_seqscan = off
AS $$
DECLARE
    known_answers bigint[];
    their_questions bigint[];
    known_questions bigint[];
BEGIN
    SELECT array_agg(a.id), array_agg(a.question_id)
    INTO known_answers, their_questions
    FROM answers a
    WHERE a.id = ANY (
        array(SELECT v.id FROM unnest(targets, ids) AS v (target, id) WHERE v.target = 'answer'));

    known_questions := array(
        SELECT id
        FROM questions
        WHERE id = ANY (their_questions || array(
            SELECT v.id FROM unnest(targets, ids) AS v (target, id) WHERE v.target = 'question'))
        ORDER BY id
        FOR NO KEY UPDATE);

    RETURN QUERY
    WITH known AS MATERIALIZED (
        SELECT v.*
        FROM unnest(targets, ids, actions, keys, fingerprints, reasons, checked, stored)
            WITH ORDINALITY
            AS v (target, id, action, key, fingerprint, reason, checked, stored, position)
        WHERE v.id = ANY (
            CASE v.target WHEN 'question' THEN known_questions ELSE known_answers END)
    ),
    claimed AS (
        INSERT INTO idempotency_keys AS k (key, fingerprint)
        SELECT DISTINCT ON (v.key) v.key, v.fingerprint
        FROM known v
        WHERE v.key IS NOT NULL
        ORDER BY v.key, v.position
        ON CONFLICT (key) DO UPDATE
        SET fingerprint = excluded.fingerprint, created_at = excluded.created_at
        WHERE k.created_at < now() - key_lifetime
        RETURNING k.key, k.fingerprint
    ),
    done AS MATERIALIZED (
        SELECT v.*
        FROM known v LEFT JOIN claimed c ON c.key = v.key AND c.fingerprint = v.fingerprint
        WHERE v.key IS NULL OR c.key IS NOT NULL
    ),
    checks AS MATERIALIZED (
        SELECT d.position, d.target, d.id, d.action, d.reason,
            substr(d.checked, 16 * n + 1, 16) AS hash
        FROM done d CROSS JOIN generate_series(0, length(d.checked) / 16 - 1) n
    ),
    new_voters AS MATERIALIZED (
        SELECT d.position, d.target, d.id, d.action, substr(d.stored, 16 * n + 1, 16) AS hash
        FROM done d CROSS JOIN generate_series(0, length(d.stored) / 16 - 1) n
    ),
    duplicates AS MATERIALIZED (
        SELECT c.position
        FROM checks c
        WHERE (  -- a join might be planned as a scan of all voters
            SELECT true
            FROM voters v
            WHERE v.target_id = c.id
              AND v.voter = c.hash
              AND v.target = c.target
              AND v.action = c.action)
        UNION
        SELECT later.position
        FROM checks later JOIN new_voters earlier USING (hash, target, id, action)
        WHERE earlier.position < later.position
    ),
    counted AS MATERIALIZED (
        SELECT d.*, duplicates.position IS NULL AS is_first
        FROM done d LEFT JOIN duplicates USING (position)
    ),
    inserted_voters AS (
        INSERT INTO voters (target_id, voter, target, action)
        SELECT v.id, v.hash, v.target, v.action
        FROM new_voters v JOIN counted c USING (position)
        WHERE c.is_first
        ON CONFLICT DO NOTHING
    ),
    inserted_reports AS (
        INSERT INTO reports (target_id, reporter, target, reason)
        SELECT c.id, substr(c.stored, 1, 16), c.target, c.reason
        FROM counted c
        WHERE c.action = 'report' AND c.is_first
        ON CONFLICT DO NOTHING
    ),
    added_reasons AS (
        UPDATE reports r
        SET reason = c.reason
        FROM checks c
        WHERE c.action = 'report'
          AND c.reason IS NOT NULL
          AND r.target_id = c.id
          AND r.reporter = c.hash
          AND r.target = c.target
          AND r.reason IS NULL
    ),
    tally AS MATERIALIZED (
        SELECT
            c.target,
            c.id,
            count(*) FILTER (WHERE c.action = 'helpful' AND c.is_first) AS helpful,
            count(*) FILTER (WHERE c.action = 'report' AND c.is_first) AS reports,
            bool_or(c.action = 'report') AND every_report_hides AS is_hidden
        FROM counted c
        GROUP BY c.target, c.id
    ),
    changes AS MATERIALIZED (
        SELECT t.target, t.id, t.helpful, is_hidden OR (
            t.reports > 0 AND t.reports + (
                SELECT count(*) FROM reports r WHERE r.target_id = t.id AND r.target = t.target
            ) >= reports_to_hide) AS is_hidden
        FROM tally t
        WHERE t.helpful > 0 OR t.reports > 0 OR t.is_hidden
    ),
    voted_questions AS (
        UPDATE questions q
        SET helpful = least(q.helpful + c.helpful, 2147483647),
            reported = q.reported OR c.is_hidden
        FROM changes c
        WHERE c.target = 'question' AND q.id = c.id AND (c.helpful > 0 OR c.is_hidden)
    ),
    voted_answers AS (
        UPDATE answers a
        SET helpful = least(a.helpful + c.helpful, 2147483647),
            reported = a.reported OR c.is_hidden
        FROM changes c
        WHERE c.target = 'answer' AND a.id = c.id AND (c.helpful > 0 OR c.is_hidden)
    )
    SELECT c.position, c.is_first OR (every_report_hides AND c.action = 'report') FROM counted c;
END $$;

CREATE OR REPLACE FUNCTION count_votes(
    targets text[],
    ids bigint[],
    actions text[],
    times integer[],
    keys text[],
    fingerprints bytea[],
    key_lifetime interval
) RETURNS SETOF bigint
LANGUAGE plpgsql
SECURITY DEFINER SET search_path = atelier, pg_temp
AS $$
DECLARE
    known_answers bigint[];
    their_questions bigint[];
    known_questions bigint[];
BEGIN
    SELECT array_agg(a.id), array_agg(a.question_id)
    INTO known_answers, their_questions
    FROM answers a
    WHERE a.id = ANY (
        array(SELECT v.id FROM unnest(targets, ids) AS v (target, id) WHERE v.target = 'answer'));

    known_questions := array(
        SELECT id
        FROM questions
        WHERE id = ANY (their_questions || array(
            SELECT v.id FROM unnest(targets, ids) AS v (target, id) WHERE v.target = 'question'))
        ORDER BY id
        FOR NO KEY UPDATE);

    RETURN QUERY
    WITH known AS MATERIALIZED (
        SELECT v.*
        FROM unnest(targets, ids, actions, times, keys, fingerprints)
            WITH ORDINALITY AS v (target, id, action, times, key, fingerprint, position)
        WHERE v.id = ANY (
            CASE v.target WHEN 'question' THEN known_questions ELSE known_answers END)
    ),
    claimed AS (
        INSERT INTO idempotency_keys AS k (key, fingerprint)
        SELECT DISTINCT ON (v.key) v.key, v.fingerprint
        FROM known v
        WHERE v.key IS NOT NULL
        ORDER BY v.key, v.position
        ON CONFLICT (key) DO UPDATE
        SET fingerprint = excluded.fingerprint, created_at = excluded.created_at
        WHERE k.created_at < now() - key_lifetime
        RETURNING k.key, k.fingerprint
    ),
    counted AS MATERIALIZED (
        SELECT v.*
        FROM known v LEFT JOIN claimed c ON c.key = v.key AND c.fingerprint = v.fingerprint
        WHERE v.key IS NULL OR c.key IS NOT NULL
    ),
    tally AS MATERIALIZED (
        SELECT
            v.target,
            v.id,
            coalesce(sum(v.times) FILTER (WHERE v.action = 'helpful'), 0) AS helpful,
            bool_or(v.action = 'report') AS reported
        FROM counted v
        GROUP BY v.target, v.id
    ),
    voted_questions AS (
        UPDATE questions q
        SET helpful = least(q.helpful + t.helpful, 2147483647),
            reported = q.reported OR t.reported
        FROM tally t
        WHERE t.target = 'question' AND q.id = t.id
    ),
    voted_answers AS (
        UPDATE answers a
        SET helpful = least(a.helpful + t.helpful, 2147483647),
            reported = a.reported OR t.reported
        FROM tally t
        WHERE t.target = 'answer' AND a.id = t.id
    )
    SELECT v.position FROM counted v;
END $$;

CREATE OR REPLACE FUNCTION lock_posts(targets text[], ids bigint[]) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    their_questions bigint[] := array(
        SELECT a.question_id
        FROM unnest(targets, ids) AS p (target, id) JOIN answers a ON a.id = p.id
        WHERE p.target = 'answer');
BEGIN
    PERFORM 1
    FROM questions
    WHERE id = ANY (their_questions || array(
        SELECT p.id FROM unnest(targets, ids) AS p (target, id) WHERE p.target = 'question'))
    ORDER BY id
    FOR NO KEY UPDATE;
END $$;

DROP FUNCTION lock_voted, lock_questions;
-- Columns cannot be taken from a view that exists.
DROP VIEW question_document_view;
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
DROP FUNCTION answer_rank;
ALTER TABLE question_documents DROP COLUMN answer_ids, DROP COLUMN answer_ranks;
