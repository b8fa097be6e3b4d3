-- Summaries of the questions that existed before their table
-- depends: 20261127_20_summaries

-- migrate: apply

-- A migration of its own: readers and writers go on meanwhile, only a writer of a question that was
-- filled waits for the end. What writers have added since the table exists is newer, and stays.
INSERT INTO question_summaries (
    question_id, product_id, created_at, answer_count, has_seller, has_photos, last_activity)
SELECT question_id, product_id, created_at, answer_count, has_seller, has_photos, last_activity
FROM question_summary_view
ON CONFLICT (question_id) DO NOTHING;

-- migrate: rollback

TRUNCATE question_summaries;
