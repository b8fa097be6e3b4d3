-- What the files say is hidden.
INSERT INTO moderation_states (target, target_id, product_id, state, since)
SELECT 'question', q.id, q.product_id, 'reported', q.date_written FROM questions q WHERE q.reported
UNION ALL
SELECT 'answer', a.id, q.product_id, 'reported', a.date_written
FROM answers a JOIN questions q ON q.id = a.question_id
WHERE a.reported
