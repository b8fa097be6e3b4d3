-- Summaries of questions that were hidden while the table was filled
-- depends: 20261127_21_fill_summaries

-- migrate: apply

-- A writer that hid a question could not see the row being filled. The lock waits for the last ones.
LOCK TABLE questions IN SHARE MODE;
DELETE FROM question_summaries s
WHERE NOT EXISTS (SELECT FROM question_documents d WHERE d.question_id = s.question_id);

-- migrate: rollback
