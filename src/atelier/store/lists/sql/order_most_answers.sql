-- The questions of a requested page, those with the most answers first. Sorted without their texts, and
-- before a search compares them, which then ends with the page.
SELECT
    s.question_id,
    s.answer_count::bigint AS key,
    d.helpful,
    d.xmin AS version,
    s.answer_count, s.last_activity, s.opening, d.answer_ranks, s.answer_openings, s.answer_closings
FROM (
    SELECT s.question_id
    FROM (
        SELECT s.question_id
        FROM question_summaries s
        WHERE s.product_id = requested.product_id
          AND (s.answer_count, s.question_id) < (requested.after_key, requested.after_id)
          AND {filter}
        ORDER BY s.answer_count DESC, s.question_id DESC
    ) AS s
    WHERE true{matching}
    LIMIT requested.page_limit + 1
) AS first
JOIN question_summaries s ON s.question_id = first.question_id
JOIN question_documents d ON d.question_id = first.question_id
ORDER BY s.answer_count DESC, s.question_id DESC
