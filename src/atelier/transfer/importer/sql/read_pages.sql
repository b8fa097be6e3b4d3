-- Reads the rows of a table from a page on.
SELECT count(*) FROM {table} WHERE ctid >= $1
