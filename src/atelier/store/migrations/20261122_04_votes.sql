-- A group of votes and reports, counted in one transaction
-- depends: 20261122_03_idempotency_keys

-- migrate: apply

-- Returns the positions of the votes that counted: those on something that exists and whose key,
-- if they have one, is claimed here for the first time (or again, after its lifetime).
-- Every writer locks questions first and in id order, so writers wait for each other but never
-- in a circle. The locks are a statement of their own: one that locked and updated would begin
-- its update at the rows of its old snapshot, behind those who queue there for its locks.
CREATE FUNCTION count_votes(
    targets text[],
    ids bigint[],
    actions text[],
    times integer[],
    keys text[],
    fingerprints bytea[],
    key_lifetime interval
) RETURNS SETOF bigint
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

-- migrate: rollback

DROP FUNCTION count_votes;
