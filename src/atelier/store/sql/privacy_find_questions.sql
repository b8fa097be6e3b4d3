-- The questions whose e-mail address may be the one that is sought: a pattern of its ASCII letters in
-- lower case finds too many rather than too few, whatever the database's locale.
SELECT id, asker_email AS email, date_written, id AS question_id
FROM questions
WHERE lower(asker_email COLLATE "C") LIKE $1
