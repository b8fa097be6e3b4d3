-- The texts of a product that has no index: of the newest questions only, so that the time that it
-- takes is bounded until a large product is indexed.
(
    SELECT v.question_id, v.product_id, v.everything
    FROM (
        SELECT question_id
        FROM question_summaries
        WHERE product_id = $1 AND cardinality($2::bigint[]) = 0
        ORDER BY created_at DESC, question_id DESC
        LIMIT {newest}
    ) AS d
    JOIN search_text_view v ON v.question_id = d.question_id
)
