-- How often documents were looked up through an index since the database was made.
SELECT sum(idx_scan)::bigint FROM pg_stat_user_indexes
WHERE schemaname = 'atelier' AND relname = 'question_documents'
