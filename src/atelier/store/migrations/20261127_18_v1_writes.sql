-- The post that was written with an idempotency key, and votes that are taken back
-- depends: 20261127_17_tokens

-- migrate: apply

-- The id of the question or answer that was written with this key; null for votes, for keys from
-- before this migration, and for posts of an erased person.
ALTER TABLE idempotency_keys ADD COLUMN post_id bigint;

-- Takes back a voter's vote, unless its key is claimed. Returns DONE, DUPLICATE if there is no vote of
-- this voter (any more), NO_TARGET, or REPLAYED or CONFLICT as claim_post does.
-- The voter is known by its own hashes. The hash of its address, if the voter is checked by that, is
-- deleted only if the same vote inserted it: otherwise, one could free an address from which others
-- have voted, and vote from there again and again.
-- Every vote first locks its question, so of concurrent calls only one finds the vote.
CREATE FUNCTION take_back_vote(
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

REVOKE EXECUTE ON FUNCTION take_back_vote FROM PUBLIC;

-- Remembers the post that was written with a key which this transaction claimed. A function, because
-- the rest of a statement does not see the row that another part of it inserted.
CREATE FUNCTION remember_post(post_key text, written_id bigint) RETURNS bigint
LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE idempotency_keys SET post_id = written_id WHERE key = post_key;
    RETURN written_id;
END $$;

-- migrate: rollback

DROP FUNCTION remember_post;
DROP FUNCTION take_back_vote;
ALTER TABLE idempotency_keys DROP COLUMN post_id;
