-- $1-$8: one array for each part of a vote (target, id, action, key, fingerprint, reason, the voter's
-- hashes that are checked, and those that are kept).
SELECT accepted, is_counted FROM count_votes_once($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
