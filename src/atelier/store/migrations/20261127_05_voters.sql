-- Voters and reporters as keyed hashes, to count one vote per person
-- depends: 20261122_04_votes

-- migrate: apply

-- A voter is a hash of the target and of the person, with a rotating key (docs/decisions/0013): it
-- reveals neither an address nor the other votes of the same person.
CREATE TABLE voters (
    target_id bigint NOT NULL,
    voter bytea NOT NULL,
    target text NOT NULL,
    action text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT voters_pkey PRIMARY KEY (target_id, voter, target, action)
);

CREATE INDEX voters_created_at ON voters (created_at);

CREATE TABLE reports (
    target_id bigint NOT NULL,
    reporter bytea NOT NULL,
    target text NOT NULL,
    reason text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT reports_pkey PRIMARY KEY (target_id, reporter, target)
);

CREATE INDEX reports_created_at ON reports (created_at);

-- At most one row: the secret from which the keys are derived if ATELIER_SECRET is not set.
CREATE TABLE voter_secret (
    is_only boolean NOT NULL DEFAULT true CHECK (is_only),
    secret bytea NOT NULL,
    CONSTRAINT voter_secret_pkey PRIMARY KEY (is_only)
);

-- Like count_votes, for identified voters: a voter's second vote does not count.
-- Each vote has concatenated 16-byte hashes of its voter. It counts if none of the `checked` ones is
-- in voters for this target; then the `stored` ones are inserted. Every vote first locks its
-- question, so no concurrent vote can insert a hash between the check and the insert.
-- A report hides its target once there are enough reporters; with `every_report_hides`, any report does.
-- Returns the positions of the applied votes, and whether each was counted.
CREATE FUNCTION count_votes_once(
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

-- Deleting a question or an answer deletes its voters and reports.
CREATE FUNCTION delete_voters_of_deleted() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM voters v USING deleted d WHERE v.target_id = d.id AND v.target = TG_ARGV[0];
    DELETE FROM reports p USING deleted d WHERE p.target_id = d.id AND p.target = TG_ARGV[0];
    RETURN NULL;
END $$;

CREATE FUNCTION delete_all_voters() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM voters WHERE target = TG_ARGV[0];
    DELETE FROM reports WHERE target = TG_ARGV[0];
    RETURN NULL;
END $$;

CREATE TRIGGER delete_voters_of_questions AFTER DELETE ON questions
REFERENCING OLD TABLE AS deleted
FOR EACH STATEMENT EXECUTE FUNCTION delete_voters_of_deleted('question');
CREATE TRIGGER delete_all_voters_of_questions AFTER TRUNCATE ON questions
FOR EACH STATEMENT EXECUTE FUNCTION delete_all_voters('question');
CREATE TRIGGER delete_voters_of_answers AFTER DELETE ON answers
REFERENCING OLD TABLE AS deleted
FOR EACH STATEMENT EXECUTE FUNCTION delete_voters_of_deleted('answer');
CREATE TRIGGER delete_all_voters_of_answers AFTER TRUNCATE ON answers
FOR EACH STATEMENT EXECUTE FUNCTION delete_all_voters('answer');

-- migrate: rollback

DROP FUNCTION delete_voters_of_deleted, delete_all_voters CASCADE;
DROP FUNCTION count_votes_once;
DROP TABLE voter_secret, reports, voters;
