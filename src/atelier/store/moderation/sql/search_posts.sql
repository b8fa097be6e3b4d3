SELECT item, target_id, written FROM search_posts($1, $2, $3, $4, $5, $6)
