-- Keep the first of several rows with the same id: ctid order is file order.
WITH deleted AS (
    DELETE FROM {table}_lines l
    USING (
        SELECT id, min(ctid) AS first FROM {table}_lines GROUP BY id HAVING count(*) > 1
    ) AS duplicates
    WHERE l.id = duplicates.id AND l.ctid <> duplicates.first
    RETURNING l.id
)
INSERT INTO rejected_rows (table_name, id, reason)
SELECT DISTINCT '{table}', id, 'duplicate id' FROM deleted
