WITH deleted AS (
    DELETE FROM answers_lines l
    WHERE NOT EXISTS (SELECT FROM questions_lines q WHERE q.id = l.question_id)
      AND NOT EXISTS (SELECT FROM questions q WHERE q.id = l.question_id)
    RETURNING l.id
)
INSERT INTO rejected_rows (table_name, id, reason)
SELECT 'answers', id, 'orphan' FROM deleted
