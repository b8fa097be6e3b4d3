-- Digests of recently posted texts, to reject repeats
-- depends: 20261127_06_limits

-- migrate: apply

-- A separate table rather than an index on the texts: it has rows only if repeats are rejected,
-- and page reads, votes and imports do not touch it.
CREATE TABLE recent_texts (
    product_id bigint NOT NULL,
    digest bytea NOT NULL,
    posted_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT recent_texts_pkey PRIMARY KEY (product_id, digest)
);

CREATE INDEX recent_texts_posted_at ON recent_texts (posted_at);

-- Claims the idempotency key and the text of a post, each unless null. Returns DONE if the post can
-- be written, REPLAYED or CONFLICT if the key was used before, REPEATED if the text was.
-- Each insert waits for a concurrent one of the same key or text. The key is claimed first, so that a
-- retry does not count as a repeat; a repeat releases the key, because nothing is written.
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
                -- An erasure cleared the digest of a post that it removed.
                SELECT CASE WHEN k.fingerprint IN (post_fingerprint, '')
                    THEN 'REPLAYED' ELSE 'CONFLICT' END
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
