-- $1-$7: one array for each part of a vote (target, id, action, key, fingerprint, reporter, reason).
-- $8-$11: the same for each hash of a voter (position of the vote, hash, checked, kept).
SELECT accepted, is_counted
FROM count_votes_once($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
