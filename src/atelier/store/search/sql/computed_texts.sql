(
    SELECT v.question_id, v.product_id, v.everything
    FROM question_documents d JOIN search_text_view v ON v.question_id = d.question_id
    WHERE d.product_id = $1 AND cardinality($2::bigint[]) = 0
)
