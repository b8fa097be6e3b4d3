-- The documents and summaries of a partition of questions, from one pass over the answers in their
-- order. Both are defined by question_document_view and question_summary_view, which look up the
-- answers and photos of each question: quicker for one question, slower for all of them
-- (docs/decisions/0004).
WITH built AS (
    SELECT
        q.id AS question_id,
        q.product_id,
        q.helpful,
        '{"question_id":' || q.id
            || ',"question_body":' || to_json(q.body)
            || ',"question_date":"' || iso_date(q.date_written)
            || '","asker_name":' || to_json(q.asker_name)
            || ',"question_helpfulness":' || q.helpful
            || ',"reported":false,"answers":{' || coalesce(a.answers, '') || '}}' AS document,
        q.date_written AS created_at,
        coalesce(a.answer_count, 0) AS answer_count,
        coalesce(a.has_seller, false) AS has_seller,
        coalesce(a.has_photos, false) AS has_photos,
        greatest(q.date_written, a.last_written) AS last_activity
    FROM questions q
    LEFT JOIN (
        SELECT
            a.question_id,
            string_agg(
                '"' || a.id || '":{"id":' || a.id
                    || ',"body":' || to_json(a.body)
                    || ',"date":"' || iso_date(a.date_written)
                    || '","answerer_name":' || to_json(a.answerer_name)
                    || ',"helpfulness":' || a.helpful
                    || ',"photos":[' || coalesce(p.urls, '') || ']}',
                ',' ORDER BY a.id) AS answers,
            count(*)::integer AS answer_count,
            bool_or(a.answerer_name = 'Seller') AS has_seller,
            bool_or(p.answer_id IS NOT NULL) AS has_photos,
            max(a.date_written) AS last_written
        FROM answers a
        LEFT JOIN (
            SELECT answer_id, string_agg(to_json(url)::text, ',' ORDER BY id) AS urls
            FROM photos
            WHERE answer_id IN (SELECT id FROM answers WHERE question_id BETWEEN $1 AND $2)
            GROUP BY answer_id
        ) AS p ON p.answer_id = a.id
        WHERE a.question_id BETWEEN $1 AND $2 AND NOT a.reported
        GROUP BY a.question_id
    ) AS a ON a.question_id = q.id
    WHERE q.id BETWEEN $1 AND $2 AND NOT q.reported
),
summaries AS (
    INSERT INTO question_summaries (
        question_id, product_id, created_at, answer_count, has_seller, has_photos, last_activity)
    SELECT
        question_id, product_id, created_at, answer_count, has_seller, has_photos, last_activity
    FROM built
)
INSERT INTO question_documents (question_id, product_id, helpful, document)
SELECT question_id, product_id, helpful, document FROM built
