-- A role without this right finds nothing in the schema, as if nothing were there.
SELECT NOT has_schema_privilege(oid, 'USAGE') AS is_hidden FROM pg_namespace WHERE nspname = $1
