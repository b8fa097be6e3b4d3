WITH deleted AS (
    DELETE FROM photos_lines l
    WHERE NOT EXISTS (SELECT FROM answers_lines a WHERE a.id = l.answer_id)
    RETURNING l.id
)
INSERT INTO rejected_rows (table_name, id, reason)
SELECT 'photos', id, 'orphan' FROM deleted
