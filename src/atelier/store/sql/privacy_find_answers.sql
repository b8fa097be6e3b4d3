-- The answers whose e-mail address may be the one that is sought: a pattern of its ASCII letters in
-- lower case finds too many rather than too few, whatever the database's locale.
SELECT id, answerer_email AS email, date_written, question_id AS question_id
FROM answers
WHERE lower(answerer_email COLLATE "C") LIKE $1
