-- The number of a table's last page; 0 if it has none.
SELECT greatest(pg_relation_size($1::text::regclass) / current_setting('block_size')::bigint - 1, 0)
