-- Webhooks: endpoints that are sent the events of the change feed, and the log of their deliveries
-- depends: 20261127_26_console

-- migrate: apply

CREATE TABLE webhooks (
    id bigint GENERATED ALWAYS AS IDENTITY,
    url text NOT NULL,
    events text[] NOT NULL,
    state text NOT NULL DEFAULT 'active',
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- The last event of the feed that deliveries were planned for; the id tells whether it is still
    -- the same one.
    position bigint NOT NULL,
    change_id bigint NOT NULL,
    delivered_at timestamptz,
    failing_since timestamptz,
    CONSTRAINT webhooks_pkey PRIMARY KEY (id),
    CONSTRAINT webhooks_state_check CHECK (state IN ('active', 'paused', 'disabled'))
);

-- Keys of HMAC-SHA256, already combined with its two paddings, so that SQL can sign. The service's
-- role cannot read them.
CREATE TABLE webhook_keys (
    id bigint GENERATED ALWAYS AS IDENTITY,
    webhook_id bigint NOT NULL,
    inner_key bytea NOT NULL,
    outer_key bytea NOT NULL,
    expires_at timestamptz,
    CONSTRAINT webhook_keys_pkey PRIMARY KEY (id),
    CONSTRAINT webhook_keys_webhook_id_fkey FOREIGN KEY (webhook_id)
        REFERENCES webhooks (id) ON DELETE CASCADE
);

CREATE INDEX webhook_keys_webhook_id ON webhook_keys (webhook_id);

-- One event for one endpoint. It has no text: what is sent is the content at that time.
-- A pending delivery is due at `due_at`: 'infinity' while an earlier one of the same question is
-- pending, and the end of the lease while an instance sends it. `attempts` counts the leases, so an
-- instance whose lease has ended cannot record a result any more.
CREATE TABLE webhook_deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY,
    webhook_id bigint NOT NULL,
    message_id text NOT NULL DEFAULT 'msg_' || replace(gen_random_uuid()::text, '-', ''),
    position bigint,
    kind text NOT NULL,
    target text NOT NULL,
    target_id bigint,
    question_id bigint,
    product_id bigint,
    occurred_at timestamptz NOT NULL DEFAULT now(),
    state text NOT NULL DEFAULT 'pending',
    due_at timestamptz NOT NULL DEFAULT now(),
    leased_until timestamptz,
    expires_at timestamptz NOT NULL DEFAULT now() + interval '3 days',
    attempts integer NOT NULL DEFAULT 0,
    attempted_at timestamptz,
    finished_at timestamptz,
    status integer,
    error text,
    milliseconds integer,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (id),
    CONSTRAINT webhook_deliveries_webhook_id_fkey FOREIGN KEY (webhook_id)
        REFERENCES webhooks (id) ON DELETE CASCADE,
    CONSTRAINT webhook_deliveries_state_check CHECK (state IN ('pending', 'delivered', 'failed'))
);

CREATE INDEX webhook_deliveries_webhook_id ON webhook_deliveries (webhook_id, id);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, due_at, id)
    WHERE state = 'pending';
CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (webhook_id, id)
    WHERE state = 'pending';
CREATE INDEX webhook_deliveries_order ON webhook_deliveries (webhook_id, question_id, id)
    WHERE state = 'pending';
CREATE UNIQUE INDEX webhook_deliveries_message ON webhook_deliveries (webhook_id, message_id)
    WHERE state = 'pending';
CREATE INDEX webhook_deliveries_finished ON webhook_deliveries (finished_at)
    WHERE finished_at IS NOT NULL;

-- An event as the change feed shows it: with the present content of its object, null if shoppers do
-- not see it. The content of a question includes its answers.
CREATE FUNCTION change_event(
    feed_position bigint, kind text, target text, target_id bigint, question_id bigint,
    product_id bigint, occurred_at timestamptz) RETURNS json
LANGUAGE sql STABLE
AS $$
    SELECT json_build_object(
        'position', $1,
        'kind', $2,
        'target', $3,
        'id', $4,
        'question_id', $5,
        'product_id', $6,
        'created_at', iso_date($7),
        'content', CASE
            WHEN $3 = 'answer' THEN answers.contents -> 0
            WHEN q.id IS NOT NULL THEN json_build_object(
                'id', q.id,
                'product_id', q.product_id,
                'body', q.body,
                'created_at', iso_date(q.date_written),
                'author', q.asker_name,
                'helpful', q.helpful,
                'answer_count', coalesce(json_array_length(answers.contents), 0),
                'answers', coalesce(answers.contents, '[]'))
        END)
    FROM (SELECT) AS event
    LEFT JOIN questions q ON $3 = 'question' AND q.id = $4 AND NOT q.reported
    LEFT JOIN LATERAL (
        SELECT json_agg(
            json_build_object(
                'id', a.id,
                'question_id', a.question_id,
                'body', a.body,
                'created_at', iso_date(a.date_written),
                'author', a.answerer_name,
                'is_seller', a.answerer_name = 'Seller',
                'helpful', a.helpful,
                'photos', coalesce((
                    SELECT json_agg(json_build_object('id', p.id, 'url', p.url) ORDER BY p.id)
                    FROM photos p WHERE p.answer_id = a.id), '[]'))
            ORDER BY (a.answerer_name = 'Seller') DESC, a.helpful DESC, a.id) AS contents
        FROM (
            SELECT own.id, own.question_id, own.body, own.date_written, own.answerer_name,
                own.helpful
            FROM answers own WHERE own.question_id = q.id AND NOT own.reported
            UNION ALL
            SELECT own.id, own.question_id, own.body, own.date_written, own.answerer_name,
                own.helpful
            FROM answers own JOIN questions parent ON parent.id = own.question_id
            WHERE $3 = 'answer' AND own.id = $4 AND NOT own.reported AND NOT parent.reported
        ) a
    ) answers ON true
$$;

-- Adds an endpoint, which gets the events from now on; null if there are as many as allowed.
CREATE FUNCTION add_webhook(
    url text, events text[], created_by text, inner_key bytea, outer_key bytea) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = atelier, pg_temp
AS $$
DECLARE
    added bigint;
BEGIN
    LOCK TABLE webhooks IN SHARE ROW EXCLUSIVE MODE;
    IF (SELECT count(*) FROM webhooks) >= 20 THEN
        RETURN NULL;
    END IF;
    WHILE (SELECT positioned FROM position_changes()) > 0 LOOP
    END LOOP;
    INSERT INTO webhooks (url, events, created_by, position, change_id)
    SELECT add_webhook.url, add_webhook.events, add_webhook.created_by,
        coalesce(max(c.position), 0), coalesce(max(c.id), 0)
    FROM (
        SELECT position, id FROM changes WHERE position IS NOT NULL
        ORDER BY position DESC LIMIT 1
    ) c
    RETURNING id INTO added;
    INSERT INTO webhook_keys (webhook_id, inner_key, outer_key)
    VALUES (added, add_webhook.inner_key, add_webhook.outer_key);
    RETURN added;
END $$;

-- Adds a key, and lets those before it expire; returns whether there is such an endpoint.
CREATE FUNCTION rotate_webhook_key(
    webhook bigint, inner_key bytea, outer_key bytea, keep interval) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = atelier, pg_temp
AS $$
BEGIN
    PERFORM FROM webhooks WHERE id = webhook FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM webhook_keys k WHERE k.webhook_id = webhook AND k.expires_at <= now();
    UPDATE webhook_keys k SET expires_at = least(k.expires_at, now() + keep)
    WHERE k.webhook_id = webhook;
    INSERT INTO webhook_keys (webhook_id, inner_key, outer_key)
    VALUES (webhook, rotate_webhook_key.inner_key, rotate_webhook_key.outer_key);
    RETURN true;
END $$;

-- Pauses or resumes an endpoint; returns whether there is one. What is pending when it resumes has
-- three days from then on, and is due at once.
CREATE FUNCTION set_webhook_state(webhook bigint, new_state text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = atelier, pg_temp
AS $$
DECLARE
    old_state text;
BEGIN
    SELECT state INTO old_state FROM webhooks WHERE id = webhook FOR NO KEY UPDATE;
    IF old_state IS NULL THEN
        RETURN false;
    END IF;
    UPDATE webhooks SET state = new_state WHERE id = webhook;
    IF new_state = 'active' THEN
        UPDATE webhook_deliveries
        SET expires_at = CASE old_state
                WHEN 'active' THEN expires_at ELSE now() + interval '3 days' END,
            due_at = CASE
                WHEN due_at = 'infinity' OR leased_until > now() THEN due_at ELSE now() END
        WHERE webhook_id = webhook AND state = 'pending';
    END IF;
    RETURN true;
END $$;

-- Plans the deliveries of the events that active endpoints have not got yet, at most 500 each;
-- returns the number of active endpoints. An event waits for the earlier ones of its question.
CREATE FUNCTION plan_webhook_deliveries() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = atelier, pg_temp
AS $$
DECLARE
    active bigint := (SELECT count(*) FROM webhooks WHERE state = 'active');
    hook record;
    newest record;
    first_kept bigint;
BEGIN
    IF active = 0 THEN
        RETURN 0;
    END IF;
    PERFORM position_changes();
    SELECT position, id INTO newest FROM changes WHERE position IS NOT NULL
    ORDER BY position DESC LIMIT 1;
    FOR hook IN
        SELECT id, events, position, change_id FROM webhooks
        WHERE state = 'active' AND (position, change_id) <> (newest.position, newest.id)
        ORDER BY id
        FOR NO KEY UPDATE SKIP LOCKED
    LOOP
        SELECT min(position) INTO first_kept FROM changes WHERE position IS NOT NULL;
        IF hook.position + 1 <> first_kept AND NOT EXISTS (
            SELECT FROM changes WHERE position = hook.position AND id = hook.change_id)
        THEN
            INSERT INTO webhook_deliveries (webhook_id, kind, target)
            VALUES (hook.id, 'missed', 'all');
            hook.position := first_kept - 1;
        END IF;
        SELECT position, id INTO newest FROM changes
        WHERE position > hook.position AND position <= hook.position + 500
        ORDER BY position DESC LIMIT 1;
        INSERT INTO webhook_deliveries (
            webhook_id, position, kind, target, target_id, question_id, product_id, occurred_at,
            due_at)
        SELECT
            hook.id, c.position, c.kind, c.target, c.target_id, c.question_id, c.product_id,
            c.created_at,
            CASE
                WHEN c.question_id IS NULL THEN now()
                WHEN row_number() OVER (PARTITION BY c.question_id ORDER BY c.position) > 1
                    OR EXISTS (
                        SELECT FROM webhook_deliveries d
                        WHERE d.webhook_id = hook.id
                          AND d.question_id = c.question_id
                          AND d.state = 'pending')
                THEN 'infinity'
                ELSE now()
            END
        FROM changes c
        WHERE c.position > hook.position
          AND c.position <= newest.position
          AND c.kind = ANY (hook.events)
        ORDER BY c.position;
        UPDATE webhooks SET position = newest.position, change_id = newest.id
        WHERE id = hook.id;
    END LOOP;
    RETURN active;
END $$;

-- Leases the next due delivery of an endpoint, if there is one; returns it with its body and a
-- signature of each valid key, the newest first.
CREATE FUNCTION claim_webhook_delivery(webhook bigint, lease interval)
RETURNS TABLE (
    id bigint, attempt integer, url text, message_id text, sent_at bigint, body text,
    signatures text)
LANGUAGE sql
AS $$
    WITH claimed AS (
        UPDATE webhook_deliveries d
        SET attempts = d.attempts + 1,
            attempted_at = now(),
            due_at = now() + $2,
            leased_until = now() + $2
        FROM webhooks w
        WHERE w.id = $1
          AND w.state = 'active'
          AND d.id = (
              SELECT e.id FROM webhook_deliveries e
              WHERE e.webhook_id = $1 AND e.state = 'pending' AND e.due_at <= now()
              ORDER BY e.due_at, e.id
              LIMIT 1
              FOR UPDATE SKIP LOCKED)
        RETURNING d.*, w.url
    ),
    message AS (
        SELECT
            c.id, c.attempts, c.url, c.message_id,
            extract(epoch FROM now())::bigint AS sent_at,
            json_build_object(
                'type', c.kind,
                'timestamp', iso_date(c.occurred_at),
                'data', change_event(
                    c.position, c.kind, c.target, c.target_id, c.question_id, c.product_id,
                    c.occurred_at))::text AS body
        FROM claimed c
    )
    SELECT m.id, m.attempts, m.url, m.message_id, m.sent_at, m.body, (
        SELECT string_agg(
            'v1,' || encode(
                sha256(k.outer_key || sha256(k.inner_key || convert_to(
                    m.message_id || '.' || m.sent_at || '.' || m.body, 'UTF8'))),
                'base64'),
            ' ' ORDER BY k.id DESC)
        FROM webhook_keys k
        WHERE k.webhook_id = $1 AND (k.expires_at IS NULL OR k.expires_at > now()))
    FROM message m
$$;

-- Records the result of an attempt: delivered, failed or gone, which disables the endpoint. Returns
-- the delivery's state; null if the lease had ended and another instance has taken it since.
CREATE FUNCTION finish_webhook_delivery(
    delivery bigint, attempt integer, result text, http_status integer, failure text,
    took integer, retry_in interval) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = atelier, pg_temp
AS $$
DECLARE
    hook bigint := (SELECT webhook_id FROM webhook_deliveries WHERE id = delivery);
    finished record;
BEGIN
    -- Whoever plans deliveries of this endpoint holds this lock, too: the next event of the question
    -- is either seen here, or planned as due.
    PERFORM FROM webhooks WHERE id = hook FOR NO KEY UPDATE;
    UPDATE webhook_deliveries
    SET state = CASE
            WHEN result = 'delivered' THEN 'delivered'
            WHEN result = 'gone' OR expires_at <= now() THEN 'failed'
            ELSE 'pending'
        END,
        finished_at = CASE
            WHEN result <> 'failed' OR expires_at <= now() THEN now()
        END,
        due_at = least(now() + retry_in, greatest(expires_at, now())),
        leased_until = NULL,
        status = http_status,
        error = failure,
        milliseconds = took
    WHERE id = delivery AND attempts = attempt AND state = 'pending'
    RETURNING state, question_id INTO finished;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF finished.state <> 'pending' THEN
        UPDATE webhook_deliveries
        SET due_at = now()
        WHERE due_at = 'infinity' AND id = (
            SELECT min(id) FROM webhook_deliveries
            WHERE webhook_id = hook AND question_id = finished.question_id AND state = 'pending');
    END IF;
    UPDATE webhooks
    SET delivered_at = CASE WHEN result = 'delivered' THEN now() ELSE delivered_at END,
        failing_since = CASE WHEN result <> 'delivered' THEN coalesce(failing_since, now()) END,
        state = CASE WHEN result = 'gone' THEN 'disabled' ELSE state END
    WHERE id = hook;
    RETURN finished.state;
END $$;

-- Plans a delivery that was finished once more, after all pending ones of its question, and returns
-- the new one; null if there is none of this endpoint, or it is pending.
CREATE FUNCTION replay_webhook_delivery(webhook bigint, delivery bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = atelier, pg_temp
AS $$
DECLARE
    planned bigint;
BEGIN
    PERFORM FROM webhooks WHERE id = webhook FOR NO KEY UPDATE;
    INSERT INTO webhook_deliveries (
        webhook_id, message_id, position, kind, target, target_id, question_id, product_id,
        occurred_at, due_at)
    SELECT
        d.webhook_id, d.message_id, d.position, d.kind, d.target, d.target_id, d.question_id,
        d.product_id, d.occurred_at,
        CASE
            WHEN EXISTS (
                SELECT FROM webhook_deliveries e
                WHERE e.webhook_id = webhook
                  AND e.question_id = d.question_id
                  AND e.state = 'pending')
            THEN 'infinity'::timestamptz
            ELSE now()
        END
    FROM webhook_deliveries d
    WHERE d.id = delivery AND d.webhook_id = webhook AND d.state <> 'pending'
    ON CONFLICT (webhook_id, message_id) WHERE state = 'pending' DO NOTHING
    RETURNING id INTO planned;
    RETURN planned;
END $$;

-- Plans an event without content; null if there is no such endpoint, or it is not active.
CREATE FUNCTION test_webhook(webhook bigint) RETURNS bigint
LANGUAGE sql
AS $$
    INSERT INTO webhook_deliveries (webhook_id, kind, target)
    SELECT id, 'test', 'all' FROM webhooks WHERE id = webhook AND state = 'active'
    RETURNING id
$$;

-- As in 20261127_09_roles.
ALTER FUNCTION claim_webhook_delivery SECURITY DEFINER SET search_path = atelier, pg_temp;
ALTER FUNCTION test_webhook SECURITY DEFINER SET search_path = atelier, pg_temp;
REVOKE EXECUTE
    ON FUNCTION
        add_webhook, rotate_webhook_key, set_webhook_state, plan_webhook_deliveries,
        claim_webhook_delivery, finish_webhook_delivery, replay_webhook_delivery, test_webhook
    FROM PUBLIC;

-- migrate: rollback

DROP FUNCTION add_webhook, rotate_webhook_key, set_webhook_state, plan_webhook_deliveries,
    claim_webhook_delivery, finish_webhook_delivery, replay_webhook_delivery, test_webhook,
    change_event;
DROP TABLE webhook_deliveries, webhook_keys, webhooks;
