-- The answers of a question are found by an index without their votes, and sorted when they are read
-- depends: 20261127_32_answer_parts

-- migrate: apply

-- Hidden answers are in it, too: deleting a question deletes them. Writers wait until it is built.
-- CONCURRENTLY would wait for all older snapshots, also in the empty schema of an import.
CREATE INDEX answers_question ON answers (question_id);

-- migrate: rollback

DROP INDEX answers_question;
