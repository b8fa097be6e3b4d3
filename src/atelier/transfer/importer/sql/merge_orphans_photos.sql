WITH deleted AS (
    DELETE FROM atelier_import.photos s
    WHERE NOT EXISTS (SELECT FROM answers a WHERE a.id = s.answer_id)
    RETURNING s.id
)
INSERT INTO rejected_rows (table_name, id, reason)
SELECT 'photos', id, 'orphan' FROM deleted
