-- The votes of questions and answers ($1: target, $2: id), and whether they are hidden.
SELECT requested.target, requested.id, q.helpful, q.reported AS is_hidden
FROM unnest($1::text[], $2::bigint[]) AS requested (target, id)
JOIN questions q ON q.id = requested.id AND requested.target = 'question'
UNION ALL
SELECT requested.target, requested.id, a.helpful, a.reported OR q.reported
FROM unnest($1::text[], $2::bigint[]) AS requested (target, id)
JOIN answers a ON a.id = requested.id AND requested.target = 'answer'
JOIN questions q ON q.id = a.question_id
