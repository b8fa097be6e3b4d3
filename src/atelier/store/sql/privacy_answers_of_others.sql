SELECT count(*) FROM answers WHERE question_id = ANY ($1) AND id <> ALL ($2)
