-- Whether the role $1 exists, and whether it has the owner's privileges whatever is granted.
SELECT
    role.oid IS NOT NULL AS is_present,
    coalesce(pg_has_role(role.oid, schema.nspowner, 'MEMBER'), false) AS is_owner
FROM pg_namespace AS schema LEFT JOIN pg_roles AS role ON role.rolname = $1
WHERE schema.nspname = 'atelier'
