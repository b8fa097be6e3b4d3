-- The events from position $1 on, at most $2, each with the present content of its object: null if
-- shoppers do not see it. The content of a question includes its answers.
WITH page AS MATERIALIZED (
    SELECT position, id, kind, target, target_id, question_id, product_id, created_at
    FROM changes
    WHERE position >= $1
    ORDER BY position
    LIMIT $2
)
SELECT
    e.position,
    e.id,
    json_build_object(
        'position', e.position,
        'kind', e.kind,
        'target', e.target,
        'id', e.target_id,
        'question_id', e.question_id,
        'product_id', e.product_id,
        'created_at', iso_date(e.created_at),
        'content', CASE
            WHEN e.target = 'answer' THEN answers.contents -> 0
            WHEN q.id IS NOT NULL THEN json_build_object(
                'id', q.id,
                'product_id', q.product_id,
                'body', q.body,
                'created_at', iso_date(q.date_written),
                'author', q.asker_name,
                'helpful', q.helpful,
                'answer_count', coalesce(json_array_length(answers.contents), 0),
                'answers', coalesce(answers.contents, '[]'))
        END) AS event
FROM page e
LEFT JOIN questions q ON e.target = 'question' AND q.id = e.target_id AND NOT q.reported
LEFT JOIN LATERAL (
    SELECT json_agg(
        json_build_object(
            'id', a.id,
            'question_id', a.question_id,
            'body', a.body,
            'created_at', iso_date(a.date_written),
            'author', a.answerer_name,
            'is_seller', a.answerer_name = 'Seller',
            'helpful', a.helpful,
            'photos', coalesce((
                SELECT json_agg(json_build_object('id', p.id, 'url', p.url) ORDER BY p.id)
                FROM photos p WHERE p.answer_id = a.id), '[]'))
        ORDER BY (a.answerer_name = 'Seller') DESC, a.helpful DESC, a.id) AS contents
    FROM (
        SELECT id, question_id, body, date_written, answerer_name, helpful
        FROM answers WHERE question_id = q.id AND NOT reported
        UNION ALL
        SELECT a.id, a.question_id, a.body, a.date_written, a.answerer_name, a.helpful
        FROM answers a JOIN questions own ON own.id = a.question_id
        WHERE e.target = 'answer' AND a.id = e.target_id AND NOT a.reported AND NOT own.reported
    ) a
) answers ON true
ORDER BY e.position
