SELECT
    c.relname AS name,
    p.phase,
    CASE WHEN p.blocks_total > 0 THEN p.blocks_done * 100 / p.blocks_total END AS percent
FROM pg_stat_progress_create_index p JOIN pg_class c ON c.oid = p.index_relid
WHERE p.datname = current_database() AND c.relname IN ('questions_search', 'answers_search')
