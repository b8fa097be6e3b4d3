-- The foreign keys of the tables being filled, parents first.
SELECT
    c.conrelid::regclass::text AS table_name,
    c.conname AS name,
    pg_get_constraintdef(c.oid) AS definition
FROM pg_constraint c
JOIN pg_class t ON t.oid = c.conrelid
WHERE c.contype = 'f'
  AND t.relnamespace = current_schema()::regnamespace
  AND t.relname IN ('questions', 'answers', 'photos', 'question_documents')
ORDER BY array_position(
    ARRAY['questions', 'answers', 'photos', 'question_documents']::name[], t.relname)
