-- For a partition of questions: the number of summaries, how many differ from the view, and the
-- first differing ids.
SELECT
    count(*),
    count(*) FILTER (WHERE differs),
    coalesce((array_agg(question_id ORDER BY question_id) FILTER (WHERE differs))[1:5], '{}')
FROM (
    SELECT question_id, v IS DISTINCT FROM s AS differs
    FROM (
        SELECT
            question_id, product_id, created_at, answer_count, has_seller, has_photos, last_activity,
            opening, answer_ids, answer_openings, answer_closings
        FROM question_summary_view WHERE question_id BETWEEN $1 AND $2) AS v
    FULL JOIN (
        SELECT
            question_id, product_id, created_at, answer_count, has_seller, has_photos, last_activity,
            opening, answer_ids, answer_openings, answer_closings
        FROM question_summaries WHERE question_id BETWEEN $1 AND $2) AS s
        USING (question_id)
) AS compared
