-- What imports did, and how far a running one is: one row each
-- depends: 20261127_29_rule_counts

-- migrate: apply

CREATE TABLE imports (
    id bigint GENERATED ALWAYS AS IDENTITY,
    started_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    host text NOT NULL,
    folder text NOT NULL,
    rejects_file text NOT NULL,
    is_replacing boolean NOT NULL,
    state text NOT NULL DEFAULT 'running',
    error text,
    phase text NOT NULL DEFAULT '',
    done bigint NOT NULL DEFAULT 0,
    total bigint,
    unit text NOT NULL DEFAULT 'rows',
    rejected bigint NOT NULL DEFAULT 0,
    rejects jsonb NOT NULL DEFAULT '[]',
    files jsonb NOT NULL DEFAULT '[]',
    CONSTRAINT imports_pkey PRIMARY KEY (id),
    CONSTRAINT imports_state CHECK (state IN ('running', 'finished', 'failed', 'interrupted'))
);

-- migrate: rollback

DROP TABLE imports;
