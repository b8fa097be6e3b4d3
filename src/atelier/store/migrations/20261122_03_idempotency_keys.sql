-- Keys of writes that were done, so that a client may send one again
-- depends: 20261122_02_documents

-- migrate: apply

CREATE TABLE idempotency_keys (
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (key)
);

CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);

-- migrate: rollback

DROP TABLE idempotency_keys;
