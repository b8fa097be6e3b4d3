CREATE INDEX CONCURRENTLY {table}_search ON {table} USING gin (search_vector(body))
