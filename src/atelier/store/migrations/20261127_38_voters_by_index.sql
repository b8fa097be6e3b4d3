-- Voters are found by the index, also by a plan that was made while there were none
-- depends: 20261127_37_standby_replay

-- migrate: apply

-- Instances plan a statement once. If the table was empty when it was analyzed, as after a restore,
-- the plan reads all of it for each vote, until autovacuum analyzes it again.
ALTER FUNCTION count_votes_once SET enable_seqscan = off;

-- migrate: rollback

ALTER FUNCTION count_votes_once RESET enable_seqscan;
