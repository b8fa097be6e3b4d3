-- The first ids of rows whose column differs, or that exist on one side only.
SELECT coalesce(f.id, d.id)
FROM {table}_file f FULL JOIN {table} d ON d.id = f.id
WHERE f.{column} IS DISTINCT FROM d.{column}
ORDER BY 1
LIMIT $1
