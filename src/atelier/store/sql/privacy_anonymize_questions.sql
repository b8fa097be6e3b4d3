-- $2, $3: the new name and address. $4: the new text; NULL keeps the old one.
UPDATE questions
SET asker_name = $2, asker_email = $3, body = coalesce($4, body)
WHERE id = ANY ($1)
RETURNING id
