-- $1-$8: one array per column of a vote: target, id, action, key, fingerprint, reason, the checked and
-- the stored hashes of the voter.
SELECT applied, is_counted FROM count_votes_once($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
