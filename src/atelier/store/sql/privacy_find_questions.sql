-- The questions whose e-mail address may match: the pattern of its lower-case ASCII characters finds
-- too many rather than too few, whatever the database's locale.
SELECT id, asker_email AS email, date_written, id AS question_id
FROM questions
WHERE lower(asker_email COLLATE "C") LIKE $1
