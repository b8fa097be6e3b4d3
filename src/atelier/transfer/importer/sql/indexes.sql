-- The indexes of the tables being filled, with the constraints that they implement.
SELECT
    i.indexrelid::regclass::text AS name,
    i.indrelid::regclass::text AS table_name,
    pg_get_indexdef(i.indexrelid) AS definition,
    c.conname AS constraint_name,
    CASE c.contype WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' END AS constraint_kind
FROM pg_index i
JOIN pg_class t ON t.oid = i.indrelid
LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u')
WHERE t.relnamespace = current_schema()::regnamespace
  AND t.relname IN (
      'questions', 'answers', 'photos', 'question_documents', 'question_summaries',
      'moderation_states')
ORDER BY pg_relation_size(t.oid) DESC, i.indexrelid
