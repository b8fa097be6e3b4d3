-- The documents and summaries of a partition of questions, from one pass over the answers in their
-- order. Both are defined by question_document_view and question_summary_view, which look up the
-- answers and photos of each question: quicker for one question, slower for all of them
-- (docs/decisions/0004). OFFSET 0: what both contain is computed once.
-- ORDER BY: both sides of the outer join are in this order already, and no large hash table is built.
SELECT
    q.id AS question_id,
    q.product_id,
    q.helpful,
    '{"question_id":' || q.id
        || ',"question_body":' || q.body
        || ',"question_date":"' || q.written
        || '","asker_name":' || q.name
        || ',"question_helpfulness":' || q.helpful
        || ',"reported":false,"answers":{' || coalesce(a.answers, '') || '}}' AS document,
    coalesce(a.answer_ranks, '{}') AS answer_ranks,
    q.date_written AS created_at,
    coalesce(a.answer_count, 0) AS answer_count,
    coalesce(a.has_seller, false) AS has_seller,
    coalesce(a.has_photos, false) AS has_photos,
    greatest(q.date_written, a.last_written) AS last_activity,
    '{"id":' || q.id
        || ',"product_id":' || q.product_id
        || ',"body":' || q.body
        || ',"created_at":"' || q.written
        || '","author":' || q.name
        || ',"helpful":' AS opening,
    coalesce(a.answer_ids, '{}') AS answer_ids,
    coalesce(a.answer_openings, '{}') AS answer_openings,
    coalesce(a.answer_closings, '{}') AS answer_closings
FROM (
    SELECT
        id,
        product_id,
        helpful,
        date_written,
        to_json(body)::text AS body,
        iso_date(date_written) AS written,
        to_json(asker_name)::text AS name
    FROM questions
    WHERE id BETWEEN $1 AND $2 AND NOT reported
    OFFSET 0
) AS q
LEFT JOIN (
    SELECT
        a.question_id,
        string_agg(
            '"' || a.id || '":{"id":' || a.id
                || ',"body":' || a.body
                || ',"date":"' || a.written
                || '","answerer_name":' || a.name
                || ',"helpfulness":' || a.helpful
                || ',"photos":[' || coalesce(p.urls, '') || ']}',
            ',' ORDER BY a.id) AS answers,
        array_agg(a.rank ORDER BY a.id) AS answer_ranks,
        count(*)::integer AS answer_count,
        bool_or(a.is_seller) AS has_seller,
        bool_or(p.answer_id IS NOT NULL) AS has_photos,
        max(a.date_written) AS last_written,
        array_agg(a.id ORDER BY a.id) AS answer_ids,
        array_agg(
            '{"id":' || a.id
                || ',"question_id":' || a.question_id
                || ',"body":' || a.body
                || ',"created_at":"' || a.written
                || '","author":' || a.name
                || CASE WHEN a.is_seller THEN ',"is_seller":true' ELSE ',"is_seller":false' END
                || ',"helpful":'
            ORDER BY a.id) AS answer_openings,
        array_agg(',"photos":[' || coalesce(p.objects, '') || ']}' ORDER BY a.id)
            AS answer_closings
    FROM (
        SELECT
            id,
            question_id,
            helpful,
            date_written,
            answerer_name = 'Seller' AS is_seller,
            answer_rank(helpful, answerer_name) AS rank,
            to_json(body)::text AS body,
            iso_date(date_written) AS written,
            to_json(answerer_name)::text AS name
        FROM answers
        WHERE question_id BETWEEN $1 AND $2 AND NOT reported
        OFFSET 0
    ) AS a
    LEFT JOIN (
        SELECT
            answer_id,
            string_agg(to_json(url)::text, ',' ORDER BY id) AS urls,
            string_agg('{"id":' || id || ',"url":' || to_json(url) || '}', ',' ORDER BY id)
                AS objects
        FROM photos
        WHERE answer_id IN (SELECT id FROM answers WHERE question_id BETWEEN $1 AND $2)
        GROUP BY answer_id
    ) AS p ON p.answer_id = a.id
    GROUP BY a.question_id
) AS a ON a.question_id = q.id
ORDER BY q.id
