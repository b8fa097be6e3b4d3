-- The visible texts of questions: the question's own, with a null answer_id, and its answers, those
-- by "Seller" and then the most helpful first.
SELECT t.answer_id, t.body, q.id AS question_id
FROM unnest($1::bigint[]) WITH ORDINALITY AS requested (question_id, position)
JOIN questions q ON q.id = requested.question_id AND NOT q.reported
CROSS JOIN LATERAL (
    SELECT NULL::bigint AS answer_id, q.body
    UNION ALL
    (
        SELECT a.id, a.body
        FROM answers a
        WHERE a.question_id = q.id AND NOT a.reported
        ORDER BY a.answerer_name = 'Seller' DESC, a.helpful DESC, a.id DESC
        LIMIT $2
    )
) AS t
ORDER BY requested.position
