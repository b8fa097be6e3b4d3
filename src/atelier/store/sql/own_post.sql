SELECT own_post($1, $2) AS post
