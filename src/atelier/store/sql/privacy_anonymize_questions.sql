-- $2, $3: the name and the address that take the place of the person's. $4: the text; NULL keeps it.
UPDATE questions
SET asker_name = $2, asker_email = $3, body = coalesce($4, body)
WHERE id = ANY ($1)
RETURNING id
