INSERT INTO question_summaries (
    question_id, product_id, created_at, answer_count, has_seller, has_photos, last_activity)
SELECT question_id, product_id, created_at, answer_count, has_seller, has_photos, last_activity
FROM question_summary_view
WHERE question_id BETWEEN $1 AND $2
