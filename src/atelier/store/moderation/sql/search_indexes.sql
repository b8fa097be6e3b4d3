-- The indexes for a search in all posts. Rows of one that failed or is being built are not valid.
-- How long a build took is in the comment of the index.
SELECT
    c.relname AS name, i.indisvalid AS is_valid, pg_relation_size(c.oid) AS bytes,
    substring(obj_description(c.oid, 'pg_class') FROM '^built in ([0-9]{1,9}) s$')::integer AS seconds
FROM pg_class c
JOIN pg_index i ON i.indexrelid = c.oid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'atelier' AND c.relname IN ('questions_search', 'answers_search')
ORDER BY c.relname DESC
