-- The number of index scans on documents since the database was created.
SELECT sum(idx_scan)::bigint FROM pg_stat_user_indexes
WHERE schemaname = 'atelier' AND relname = 'question_documents'
