-- Without $2 only those that nobody else has answered: the person's own answers are gone by now.
DELETE FROM questions q
WHERE q.id = ANY ($1) AND ($2 OR NOT EXISTS (SELECT FROM answers a WHERE a.question_id = q.id))
RETURNING q.id
