-- The first of several rows with one id stands; a file's order is its table's.
WITH deleted AS (
    DELETE FROM {table}_lines l
    USING (
        SELECT id, min(ctid) AS first FROM {table}_lines GROUP BY id HAVING count(*) > 1
    ) AS twice
    WHERE l.id = twice.id AND l.ctid <> twice.first
    RETURNING l.id
)
INSERT INTO rejected_rows (table_name, id, reason)
SELECT DISTINCT '{table}', id, 'duplicate id' FROM deleted
