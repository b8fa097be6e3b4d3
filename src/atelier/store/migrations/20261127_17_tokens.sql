-- Tokens for the API under /admin, as hashes
-- depends: 20261127_16_changes

-- migrate: apply

CREATE TABLE tokens (
    id bigint GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL,
    scope text NOT NULL,
    hash bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT tokens_pkey PRIMARY KEY (id),
    CONSTRAINT tokens_name_key UNIQUE (name),
    CONSTRAINT tokens_hash_key UNIQUE (hash),
    CONSTRAINT tokens_scope_check CHECK (scope IN ('read', 'moderate', 'operate'))
);

CREATE FUNCTION token_state(revoked_at timestamptz, expires_at timestamptz) RETURNS text
LANGUAGE sql
STABLE
AS $$
    SELECT CASE
        WHEN revoked_at IS NOT NULL THEN 'revoked'
        WHEN expires_at <= now() THEN 'expired'
        ELSE 'valid'
    END
$$;

-- The service's role cannot read the table: it learns of a token only what it presents the hash of.
CREATE FUNCTION find_token(presented bytea)
RETURNS TABLE (name text, scope text, state text, expires_at timestamptz)
LANGUAGE sql
STABLE
AS $$
    SELECT t.name, t.scope, token_state(t.revoked_at, t.expires_at), t.expires_at
    FROM tokens t
    WHERE t.hash = presented
$$;

-- As in 20261127_09_roles.
ALTER FUNCTION find_token SECURITY DEFINER SET search_path = atelier, pg_temp;
REVOKE EXECUTE ON FUNCTION find_token FROM PUBLIC;

-- migrate: rollback

DROP FUNCTION find_token;
DROP FUNCTION token_state;
DROP TABLE tokens;
