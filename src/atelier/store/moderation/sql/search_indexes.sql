-- The indexes for a search in all posts. Rows of one that failed or is being built are not valid.
SELECT c.relname AS name, i.indisvalid AS is_valid, pg_relation_size(c.oid) AS bytes
FROM pg_class c
JOIN pg_index i ON i.indexrelid = c.oid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'atelier' AND c.relname IN ('questions_search', 'answers_search')
ORDER BY c.relname DESC
