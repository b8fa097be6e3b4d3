-- What a role lacks to migrate and to import. Names come quoted, ready for a statement.
SELECT
    quote_ident(current_user) AS role,
    quote_ident(current_database()) AS database,
    has_database_privilege(current_database(), 'CREATE') AS makes_schemas,
    coalesce(has_schema_privilege(ours.live, 'USAGE') AND NOT pg_has_role(ours.live_owner, 'USAGE'),
        false) AS is_service,
    bookkeeping.is_there OR has_schema_privilege('public', 'CREATE') AS makes_bookkeeping,
    ARRAY(
        SELECT quote_ident(owner.rolname)
        FROM pg_roles AS owner
        WHERE owner.oid = ANY (bookkeeping.owners || ours.owners)
            AND NOT owner.rolsuper
            AND NOT pg_has_role(owner.oid, 'USAGE')
        ORDER BY 1
    ) AS owners,
    ARRAY(
        SELECT quote_ident(owner.rolname)
        FROM pg_roles AS owner
        WHERE owner.oid = ANY (bookkeeping.owners || ours.owners)
            AND owner.rolsuper
            AND NOT pg_has_role(owner.oid, 'USAGE')
        ORDER BY 1
    ) AS superusers
FROM
    (
        SELECT count(*) = 2 AS is_there, coalesce(array_agg(relowner), '{}') AS owners
        FROM pg_class
        WHERE relnamespace = to_regnamespace('public')
            AND relname IN ('_pogo_migration', '_pogo_version')
    ) AS bookkeeping,
    (
        SELECT
            coalesce(array_agg(nspowner), '{}') AS owners,
            max(oid) FILTER (WHERE nspname = 'atelier') AS live,
            max(nspowner) FILTER (WHERE nspname = 'atelier') AS live_owner
        FROM pg_namespace
        WHERE nspname IN ('atelier', 'atelier_import', 'atelier_import_files', 'atelier_verify')
    ) AS ours
