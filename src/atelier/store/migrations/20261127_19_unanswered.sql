-- The questions in the order in which they were asked
-- depends: 20261127_18_v1_writes

-- migrate: apply

-- A vote changes none of these columns, so it does not write to this index.
CREATE INDEX questions_asked ON questions (date_written, id) WHERE NOT reported;

-- migrate: rollback

DROP INDEX questions_asked;
