-- Digests of what was posted lately, so that a text is not posted again and again
-- depends: 20261122_04_votes

-- migrate: apply

-- A table of its own, and no index on texts: rows are there only while repeats are refused, and
-- neither pages, votes nor imports know of it.
CREATE TABLE recent_texts (
    product_id bigint NOT NULL,
    digest bytea NOT NULL,
    posted_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT recent_texts_pkey PRIMARY KEY (product_id, digest)
);

CREATE INDEX recent_texts_posted_at ON recent_texts (posted_at);

-- Says whether a post is to be written: DONE if its key and its text (each unless null) are claimed
-- here, REPLAYED or CONFLICT if the key was used before, REPEATED if the text was.
-- Each insert waits for another of the same that is under way and sees what became of it. The key
-- comes first, so that a retry is no repeat; a repeat gives the key back, for nothing was written.
CREATE FUNCTION claim_post(
    product bigint,
    post_key text,
    post_fingerprint bytea,
    key_lifetime interval,
    text_digest bytea,
    repeat_window interval
) RETURNS text
LANGUAGE plpgsql
AS $$
BEGIN
    IF post_key IS NOT NULL THEN
        INSERT INTO idempotency_keys AS k (key, fingerprint)
        VALUES (post_key, post_fingerprint)
        ON CONFLICT (key) DO UPDATE
        SET fingerprint = excluded.fingerprint, created_at = excluded.created_at
        WHERE k.created_at < now() - key_lifetime;
        IF NOT FOUND THEN
            RETURN (
                SELECT CASE k.fingerprint WHEN post_fingerprint THEN 'REPLAYED' ELSE 'CONFLICT' END
                FROM idempotency_keys k
                WHERE k.key = post_key);
        END IF;
    END IF;

    IF text_digest IS NOT NULL THEN
        INSERT INTO recent_texts AS t (product_id, digest)
        VALUES (product, text_digest)
        ON CONFLICT (product_id, digest) DO UPDATE
        SET posted_at = excluded.posted_at
        WHERE t.posted_at < now() - repeat_window;
        IF NOT FOUND THEN
            DELETE FROM idempotency_keys WHERE key = post_key;
            RETURN 'REPEATED';
        END IF;
    END IF;

    RETURN 'DONE';
END $$;

-- migrate: rollback

DROP FUNCTION claim_post;
DROP TABLE recent_texts;
