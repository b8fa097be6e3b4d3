WITH deleted AS (
    DELETE FROM answers a
    WHERE NOT EXISTS (SELECT FROM questions q WHERE q.id = a.question_id)
    RETURNING a.id
)
INSERT INTO rejected_rows (table_name, id, reason)
SELECT 'answers', id, 'orphan' FROM deleted
