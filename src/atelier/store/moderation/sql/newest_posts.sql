SELECT item, target, target_id FROM newest_posts($1, $2, $3)
