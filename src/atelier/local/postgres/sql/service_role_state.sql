-- Whether there is a role of the name $1, and whether it could do more than it is granted.
SELECT
    role.oid IS NOT NULL AS is_there,
    coalesce(pg_has_role(role.oid, schema.nspowner, 'MEMBER'), false) AS is_owner
FROM pg_namespace AS schema LEFT JOIN pg_roles AS role ON role.rolname = $1
WHERE schema.nspname = 'atelier'
