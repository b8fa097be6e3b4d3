-- Read all tables and indexes of all systems into shared_buffers.
SELECT sum(pg_prewarm(oid))
FROM pg_class
WHERE relnamespace IN ('atelier'::regnamespace, 'peer'::regnamespace) AND relkind IN ('r', 'i')
