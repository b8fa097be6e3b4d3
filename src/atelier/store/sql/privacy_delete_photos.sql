DELETE FROM photos WHERE answer_id = ANY ($1) RETURNING id
