-- To a role without USAGE, the objects of a schema look undefined.
SELECT NOT has_schema_privilege(oid, 'USAGE') AS is_hidden FROM pg_namespace WHERE nspname = $1
