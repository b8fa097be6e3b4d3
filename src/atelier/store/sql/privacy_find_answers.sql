-- The answers whose e-mail address may match: the pattern of its lower-case ASCII characters finds
-- too many rather than too few, whatever the database's locale.
SELECT id, answerer_email AS email, date_written, question_id AS question_id
FROM answers
WHERE lower(answerer_email COLLATE "C") LIKE $1
