-- Pages of a question's answers for /v1, in the order of the request: the number of the question's
-- answers is null if it is hidden or unknown. An answer by "Seller" has the rank 1.
SELECT
    convert_to(
        coalesce(array_to_string(page.documents[:requested.page_limit], ','), ''), 'UTF8')
        AS documents,
    page.ranks[requested.page_limit] AS next_rank,
    page.votes[requested.page_limit] AS next_helpful,
    CASE WHEN cardinality(page.ids) > requested.page_limit THEN page.ids[requested.page_limit] END
        AS next_id,
    s.answer_count,
    convert_to({server} || d.xmin::text, 'UTF8') AS version
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
    WITH ORDINALITY AS requested
        (question_id, page_limit, after_rank, after_helpful, after_id, position)
LEFT JOIN (question_summaries s JOIN question_documents d ON d.question_id = s.question_id)
    ON s.question_id = requested.question_id
CROSS JOIN LATERAL (
    SELECT
        array_agg(document) AS documents,
        array_agg(is_seller::integer::bigint) AS ranks,
        array_agg(helpful::bigint) AS votes,
        array_agg(answer_id) AS ids
    FROM (
        SELECT document, is_seller, helpful, answer_id
        FROM v1_answer_view a
        WHERE a.question_id = s.question_id
          AND (is_seller::integer, helpful, answer_id)
              < (requested.after_rank, requested.after_helpful, requested.after_id)
        ORDER BY is_seller DESC, helpful DESC, answer_id DESC
        LIMIT requested.page_limit + 1
    ) AS answers
) AS page
ORDER BY requested.position
