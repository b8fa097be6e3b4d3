-- What an address did in a day, so that it can be limited over all instances
-- depends: 20261122_04_votes

-- migrate: apply

-- What addresses of a day are hashed with, where no secret is set.
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

-- Counts one more, and returns true, unless there were as many as may be. Whoever counts for the
-- same client waits until this transaction has ended. A client of null is not counted.
CREATE FUNCTION count_for_client(of_day date, of_kind text, of_client bytea, most integer)
RETURNS boolean
LANGUAGE sql
AS $$
    WITH counted AS (
        INSERT INTO daily_counts AS c (day, kind, client, count)
        SELECT of_day, of_kind, of_client, 1 WHERE of_client IS NOT NULL
        ON CONFLICT (day, kind, client) DO UPDATE
        SET count = c.count + 1
        WHERE c.count < most
        RETURNING 1
    )
    SELECT of_client IS NULL OR EXISTS (SELECT 1 FROM counted)
$$;

-- Takes back what this transaction has counted for what was not done after all.
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
