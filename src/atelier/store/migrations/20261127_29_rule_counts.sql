-- How many posts each moderation rule has held or refused
-- depends: 20261127_28_search_posts

-- migrate: apply

CREATE TABLE rule_counts (
    version integer NOT NULL,
    rule text NOT NULL,
    posts bigint NOT NULL,
    last_at timestamptz NOT NULL,
    CONSTRAINT rule_counts_pkey PRIMARY KEY (version, rule)
);

-- Decides about a post that can be written: returns null, or the rule that decides with the state of
-- the post if there were no rules. The first rule that refuses decides, else the first that holds.
-- For a refused post, the claims of its key and of its text are released. Otherwise its text and its
-- client are remembered; a held post will be inserted as with ATELIER_MODERATION=pre. The rule that
-- decides is counted.
CREATE OR REPLACE FUNCTION judge_post(product bigint, post_key text, text_digest bytea, post jsonb)
RETURNS jsonb
LANGUAGE plpgsql
AS $$
DECLARE
    digest bytea := decode(post ->> 'digest', 'hex');
    clients bytea[] := array(
        SELECT decode(c.hash, 'hex') FROM jsonb_array_elements_text(post -> 'clients') AS c (hash));
    rule jsonb;
    decided jsonb;
BEGIN
    IF digest IS NOT NULL THEN  -- of concurrent posts of a text, all but one are repeats
        PERFORM pg_advisory_xact_lock(hashtextextended(post ->> 'digest', 0));
    END IF;
    FOR rule IN SELECT r.value FROM jsonb_array_elements(post -> 'rules') AS r (value) LOOP
        CONTINUE WHEN decided IS NOT NULL AND rule ->> 'action' = 'hold';
        CONTINUE WHEN NOT matches_rule(rule, digest, product, clients);
        decided := rule;
        EXIT WHEN rule ->> 'action' = 'refuse';
    END LOOP;

    IF decided IS NOT NULL THEN
        INSERT INTO rule_counts AS c (version, rule, posts, last_at)
        VALUES ((decided ->> 'version')::integer, decided ->> 'name', 1, now())
        ON CONFLICT ON CONSTRAINT rule_counts_pkey DO UPDATE
        SET posts = c.posts + 1, last_at = excluded.last_at;
    END IF;
    IF decided ->> 'action' = 'refuse' THEN
        DELETE FROM idempotency_keys WHERE key = post_key;
        DELETE FROM recent_texts t WHERE t.product_id = product AND t.digest = text_digest;
        RETURN decided;
    END IF;

    IF digest IS NOT NULL THEN
        INSERT INTO posted_texts (digest, product_id, posted_at) VALUES (digest, product, now())
        ON CONFLICT ON CONSTRAINT posted_texts_pkey DO UPDATE SET posted_at = excluded.posted_at;
    END IF;
    IF cardinality(clients) > 0 THEN
        -- The first hash is the one with the current key; others know the address by an earlier key.
        INSERT INTO posting_clients AS k (client, first_at, last_at)
        SELECT clients[1], coalesce(min(c.first_at), now()), now()
        FROM posting_clients c
        WHERE c.client = ANY (clients)
          AND c.last_at > now() - make_interval(secs => (post ->> 'client_memory')::float8)
        ON CONFLICT (client) DO UPDATE
        SET first_at = excluded.first_at, last_at = excluded.last_at;
    END IF;
    IF decided IS NULL THEN
        RETURN NULL;
    END IF;
    decided := decided || jsonb_build_object(
        'state_before',
        CASE current_setting('atelier.moderation', true) WHEN 'pre' THEN 'held' ELSE 'visible' END);
    PERFORM set_config('atelier.moderation', 'pre', true);
    RETURN decided;
END $$;

-- migrate: rollback

-- Decides about a post that can be written: returns null, or the rule that decides with the state of
-- the post if there were no rules. The first rule that refuses decides, else the first that holds.
-- For a refused post, the claims of its key and of its text are released. Otherwise its text and its
-- client are remembered; a held post will be inserted as with ATELIER_MODERATION=pre.
CREATE OR REPLACE FUNCTION judge_post(product bigint, post_key text, text_digest bytea, post jsonb)
RETURNS jsonb
LANGUAGE plpgsql
AS $$
DECLARE
    digest bytea := decode(post ->> 'digest', 'hex');
    clients bytea[] := array(
        SELECT decode(c.hash, 'hex') FROM jsonb_array_elements_text(post -> 'clients') AS c (hash));
    rule jsonb;
    decided jsonb;
BEGIN
    IF digest IS NOT NULL THEN  -- of concurrent posts of a text, all but one are repeats
        PERFORM pg_advisory_xact_lock(hashtextextended(post ->> 'digest', 0));
    END IF;
    FOR rule IN SELECT r.value FROM jsonb_array_elements(post -> 'rules') AS r (value) LOOP
        CONTINUE WHEN decided IS NOT NULL AND rule ->> 'action' = 'hold';
        CONTINUE WHEN NOT matches_rule(rule, digest, product, clients);
        decided := rule;
        EXIT WHEN rule ->> 'action' = 'refuse';
    END LOOP;

    IF decided ->> 'action' = 'refuse' THEN
        DELETE FROM idempotency_keys WHERE key = post_key;
        DELETE FROM recent_texts t WHERE t.product_id = product AND t.digest = text_digest;
        RETURN decided;
    END IF;

    IF digest IS NOT NULL THEN
        INSERT INTO posted_texts (digest, product_id, posted_at) VALUES (digest, product, now())
        ON CONFLICT ON CONSTRAINT posted_texts_pkey DO UPDATE SET posted_at = excluded.posted_at;
    END IF;
    IF cardinality(clients) > 0 THEN
        -- The first hash is the one with the current key; others know the address by an earlier key.
        INSERT INTO posting_clients AS k (client, first_at, last_at)
        SELECT clients[1], coalesce(min(c.first_at), now()), now()
        FROM posting_clients c
        WHERE c.client = ANY (clients)
          AND c.last_at > now() - make_interval(secs => (post ->> 'client_memory')::float8)
        ON CONFLICT (client) DO UPDATE
        SET first_at = excluded.first_at, last_at = excluded.last_at;
    END IF;
    IF decided IS NULL THEN
        RETURN NULL;
    END IF;
    decided := decided || jsonb_build_object(
        'state_before',
        CASE current_setting('atelier.moderation', true) WHEN 'pre' THEN 'held' ELSE 'visible' END);
    PERFORM set_config('atelier.moderation', 'pre', true);
    RETURN decided;
END $$;

DROP TABLE rule_counts;
