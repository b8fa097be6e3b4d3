WITH deleted AS (
    DELETE FROM photos p
    WHERE NOT EXISTS (SELECT FROM answers a WHERE a.id = p.answer_id)
    RETURNING p.id
)
INSERT INTO rejected_rows (table_name, id, reason)
SELECT 'photos', id, 'orphan' FROM deleted
