-- $4-$6: the position after which the page starts.
SELECT item, since, target_id, target FROM moderation_queue($1, $2, $3, $4, $5, $6, $7)
