-- The console: its sessions, and recent samples of the instances' metrics
-- depends: 20261127_25_search_words

-- migrate: apply

-- As of tokens, only hashes are stored: nothing in a backup can be sent as a session's cookie.
CREATE TABLE console_sessions (
    hash bytea NOT NULL,
    token_id bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    CONSTRAINT console_sessions_pkey PRIMARY KEY (hash),
    CONSTRAINT console_sessions_token_fkey FOREIGN KEY (token_id) REFERENCES tokens ON DELETE CASCADE
);

CREATE INDEX console_sessions_token ON console_sessions (token_id);
CREATE INDEX console_sessions_expiry ON console_sessions (expires_at);

ALTER TABLE tokens ADD COLUMN created_by text, ADD COLUMN revoked_by text;

CREATE FUNCTION open_session(presented bytea, session bytea, lifetime interval) RETURNS boolean
LANGUAGE sql
AS $$
    WITH opened AS (
        INSERT INTO console_sessions (hash, token_id, expires_at)
        SELECT session, t.id, least(now() + lifetime, t.expires_at)
        FROM tokens t
        WHERE t.hash = presented
          AND t.scope <> 'read'
          AND token_state(t.revoked_at, t.expires_at) = 'valid'
        RETURNING 1
    )
    SELECT EXISTS (SELECT FROM opened)
$$;

-- No row if the session is unknown, closed or over, or its token is not valid any more.
CREATE FUNCTION find_session(session bytea)
RETURNS TABLE (name text, scope text, expires_at timestamptz)
LANGUAGE sql
STABLE
AS $$
    SELECT t.name, t.scope, s.expires_at
    FROM console_sessions s
    JOIN tokens t ON t.id = s.token_id
    WHERE s.hash = session
      AND s.expires_at > now()
      AND token_state(t.revoked_at, t.expires_at) = 'valid'
$$;

CREATE FUNCTION close_session(session bytea) RETURNS void
LANGUAGE sql
AS $$
    DELETE FROM console_sessions WHERE hash = session
$$;

CREATE FUNCTION delete_expired_sessions() RETURNS void
LANGUAGE sql
AS $$
    DELETE FROM console_sessions WHERE expires_at <= now()
$$;

-- The functions below need the session of an operator: an instance that is taken over can neither
-- list tokens nor create one on its own.
CREATE FUNCTION operator_of(session bytea) RETURNS text
LANGUAGE sql
STABLE
AS $$
    SELECT f.name FROM find_session(session) f WHERE f.scope = 'operate'
$$;

CREATE FUNCTION session_tokens(session bytea)
RETURNS TABLE (
    name text, scope text, state text, created_at timestamptz, expires_at timestamptz,
    revoked_at timestamptz, created_by text, revoked_by text)
LANGUAGE sql
STABLE
AS $$
    SELECT
        t.name, t.scope, token_state(t.revoked_at, t.expires_at), t.created_at, t.expires_at,
        t.revoked_at, t.created_by, t.revoked_by
    FROM tokens t
    WHERE operator_of(session) IS NOT NULL
    ORDER BY t.name
$$;

-- Null: not an operator's session; false: the name is taken.
CREATE FUNCTION session_create_token(
    session bytea, new_name text, new_scope text, new_hash bytea, lifetime interval
) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
    operator text := operator_of(session);
BEGIN
    IF operator IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO tokens (name, scope, hash, expires_at, created_by)
    VALUES (new_name, new_scope, new_hash, now() + lifetime, operator)
    ON CONFLICT (name) DO NOTHING;
    RETURN FOUND;
END $$;

-- Null: not an operator's session; false: there is no valid token of that name.
CREATE FUNCTION session_revoke_token(session bytea, old_name text) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
    operator text := operator_of(session);
BEGIN
    IF operator IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE tokens SET revoked_at = now(), revoked_by = operator
    WHERE name = old_name AND revoked_at IS NULL;
    RETURN FOUND;
END $$;

-- How many posts wait in each state, counted up to `most`.
CREATE FUNCTION queue_counts(most integer) RETURNS TABLE (state text, count bigint)
LANGUAGE sql
STABLE
AS $$
    SELECT s.state, (
        SELECT count(*) FROM (
            SELECT FROM moderation_states m WHERE m.state = s.state LIMIT most) counted)
    FROM unnest(array['reported', 'held', 'removed']) AS s (state)
$$;

-- What every instance reports every few seconds. Unlogged: after a crash it starts empty.
CREATE UNLOGGED TABLE instance_samples (
    instance text NOT NULL,
    started_at timestamptz NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    requests bigint NOT NULL,
    errors bigint NOT NULL,
    buckets bigint[] NOT NULL,
    batches bigint NOT NULL,
    batch_keys bigint NOT NULL,
    waiting integer NOT NULL,
    connections integer NOT NULL,
    idle_connections integer NOT NULL,
    cpu_seconds double precision NOT NULL,
    memory_bytes bigint NOT NULL,
    version text NOT NULL,
    clients integer NOT NULL,
    transactions bigint NOT NULL,
    blocks_hit bigint NOT NULL,
    blocks_read bigint NOT NULL,
    CONSTRAINT instance_samples_pkey PRIMARY KEY (at, instance, started_at)
);

-- As in 20261127_09_roles.
ALTER FUNCTION open_session SECURITY DEFINER SET search_path = atelier, pg_temp;
ALTER FUNCTION find_session SECURITY DEFINER SET search_path = atelier, pg_temp;
ALTER FUNCTION close_session SECURITY DEFINER SET search_path = atelier, pg_temp;
ALTER FUNCTION delete_expired_sessions SECURITY DEFINER SET search_path = atelier, pg_temp;
ALTER FUNCTION session_tokens SECURITY DEFINER SET search_path = atelier, pg_temp;
ALTER FUNCTION session_create_token SECURITY DEFINER SET search_path = atelier, pg_temp;
ALTER FUNCTION session_revoke_token SECURITY DEFINER SET search_path = atelier, pg_temp;
ALTER FUNCTION queue_counts SECURITY DEFINER SET search_path = atelier, pg_temp;
REVOKE EXECUTE ON FUNCTION open_session FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION find_session FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION close_session FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION delete_expired_sessions FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION session_tokens FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION session_create_token FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION session_revoke_token FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION queue_counts FROM PUBLIC;

-- migrate: rollback

DROP TABLE instance_samples;
DROP FUNCTION queue_counts, session_revoke_token, session_create_token, session_tokens, operator_of,
    delete_expired_sessions, close_session, find_session, open_session;
ALTER TABLE tokens DROP COLUMN created_by, DROP COLUMN revoked_by;
DROP TABLE console_sessions;
