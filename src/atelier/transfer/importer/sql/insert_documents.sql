-- The documents and summaries of a partition of questions.
WITH built AS (
    {built}
),
summaries AS (
    INSERT INTO question_summaries (
        question_id, product_id, created_at, answer_count, has_seller, has_photos, last_activity,
        opening, answer_ids, answer_openings, answer_closings)
    SELECT
        question_id, product_id, created_at, answer_count, has_seller, has_photos, last_activity,
        opening, answer_ids, answer_openings, answer_closings
    FROM built
)
INSERT INTO question_documents (question_id, product_id, helpful, document, answer_ids, answer_ranks)
SELECT question_id, product_id, helpful, document, answer_ids, answer_ranks FROM built
