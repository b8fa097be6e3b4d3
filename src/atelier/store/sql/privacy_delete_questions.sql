-- If $2 is false, only questions that nobody else answered: the person's own answers are deleted.
DELETE FROM questions q
WHERE q.id = ANY ($1) AND ($2 OR NOT EXISTS (SELECT FROM answers a WHERE a.question_id = q.id))
RETURNING q.id
