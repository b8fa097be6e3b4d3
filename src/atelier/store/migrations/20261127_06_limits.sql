-- Counts of writes per client and day, for limits across all instances
-- depends: 20261127_05_voters

-- migrate: apply

-- The keys for hashing a day's client addresses, unless a secret is set.
CREATE TABLE address_keys (
    day date NOT NULL,
    key bytea NOT NULL,
    CONSTRAINT address_keys_pkey PRIMARY KEY (day)
);

CREATE TABLE daily_counts (
    day date NOT NULL,
    kind text NOT NULL,
    client bytea NOT NULL,
    count integer NOT NULL,
    CONSTRAINT daily_counts_pkey PRIMARY KEY (day, kind, client)
);

-- Counts a write and returns true, or returns false if the maximum is reached. Concurrent calls for
-- the same client wait for the end of this transaction. A null client is not counted.
CREATE FUNCTION count_for_client(of_day date, of_kind text, of_client bytea, max_count integer)
RETURNS boolean
LANGUAGE sql
AS $$
    WITH counted AS (
        INSERT INTO daily_counts AS c (day, kind, client, count)
        SELECT of_day, of_kind, of_client, 1 WHERE of_client IS NOT NULL
        ON CONFLICT (day, kind, client) DO UPDATE
        SET count = c.count + 1
        WHERE c.count < max_count
        RETURNING 1
    )
    SELECT of_client IS NULL OR EXISTS (SELECT 1 FROM counted)
$$;

-- Reverts this transaction's count for a write that was not applied.
CREATE FUNCTION uncount_for_client(of_day date, of_kind text, of_client bytea)
RETURNS boolean
LANGUAGE sql
AS $$
    UPDATE daily_counts SET count = count - 1
    WHERE day = of_day AND kind = of_kind AND client = of_client
    RETURNING true
$$;

-- migrate: rollback

DROP FUNCTION uncount_for_client;
DROP FUNCTION count_for_client;
DROP TABLE daily_counts;
DROP TABLE address_keys;
