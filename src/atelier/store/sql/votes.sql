-- $1-$6: one array per column of a vote (target, id, action, count, key, fingerprint).
SELECT position FROM count_votes($1, $2, $3, $4, $5, $6, $7) AS position
