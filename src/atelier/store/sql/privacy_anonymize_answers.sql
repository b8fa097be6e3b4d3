-- $2, $3: the new name and address. $4: the new text; NULL keeps the old one.
UPDATE answers
SET answerer_name = $2, answerer_email = $3, body = coalesce($4, body)
WHERE id = ANY ($1)
RETURNING id
