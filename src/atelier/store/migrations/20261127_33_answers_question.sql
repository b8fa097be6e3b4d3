-- The answers of a question are found by an index without their votes, and sorted when they are read
-- depends: 20261127_32_answer_parts
-- transaction: false

-- migrate: apply

-- A vote changes no index of answers any more, so the new row stays beside the old one
-- (docs/decisions/0009). Hidden answers are in it, too: deleting a question deletes them.
-- It waits for the transactions that run, streams of large pages among them, but nobody waits for it.
SET lock_timeout = '2min';
DROP INDEX CONCURRENTLY IF EXISTS answers_question;
CREATE INDEX CONCURRENTLY answers_question ON answers (question_id);
DROP INDEX CONCURRENTLY IF EXISTS answers_page;
SET lock_timeout = '5s';

-- migrate: rollback

DROP INDEX CONCURRENTLY IF EXISTS answers_page;
CREATE INDEX CONCURRENTLY answers_page
    ON answers (question_id, helpful DESC, id DESC) WHERE NOT reported;
DROP INDEX CONCURRENTLY IF EXISTS answers_question;
