WITH deleted AS (
    DELETE FROM atelier_import.answers s
    WHERE NOT EXISTS (SELECT FROM questions q WHERE q.id = s.question_id)
    RETURNING s.id
)
INSERT INTO rejected_rows (table_name, id, reason)
SELECT 'answers', id, 'orphan' FROM deleted
