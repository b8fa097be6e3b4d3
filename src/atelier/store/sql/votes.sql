-- $1-$6: one array for each part of a vote (target, id, action, how often, key, fingerprint).
SELECT position FROM count_votes($1, $2, $3, $4, $5, $6, $7) AS position
