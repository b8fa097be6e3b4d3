-- The privileges that a role has or lacks for migrating and importing. Names are quoted.
SELECT
    quote_ident(current_user) AS role,
    quote_ident(current_database()) AS database,
    has_database_privilege(current_database(), 'CREATE') AS can_create_schemas,
    coalesce(
        has_schema_privilege(service_schemas.live, 'USAGE')
            AND NOT pg_has_role(service_schemas.live_owner, 'USAGE'),
        false
    ) AS is_service_role,
    migration_tables.exist OR has_schema_privilege('public', 'CREATE')
        AS can_create_migration_tables,
    ARRAY(
        SELECT quote_ident(owner.rolname)
        FROM pg_roles AS owner
        WHERE owner.oid = ANY (migration_tables.owners || service_schemas.owners)
            AND NOT owner.rolsuper
            AND NOT pg_has_role(owner.oid, 'USAGE')
        ORDER BY 1
    ) AS owners,
    ARRAY(
        SELECT quote_ident(owner.rolname)
        FROM pg_roles AS owner
        WHERE owner.oid = ANY (migration_tables.owners || service_schemas.owners)
            AND owner.rolsuper
            AND NOT pg_has_role(owner.oid, 'USAGE')
        ORDER BY 1
    ) AS superusers
FROM
    (
        SELECT count(*) = 2 AS exist, coalesce(array_agg(relowner), '{}') AS owners
        FROM pg_class
        WHERE relnamespace = to_regnamespace('public')
            AND relname IN ('_pogo_migration', '_pogo_version')
    ) AS migration_tables,
    (
        SELECT
            coalesce(array_agg(nspowner), '{}') AS owners,
            max(oid) FILTER (WHERE nspname = 'atelier') AS live,
            max(nspowner) FILTER (WHERE nspname = 'atelier') AS live_owner
        FROM pg_namespace
        WHERE nspname IN ('atelier', 'atelier_import', 'atelier_import_files', 'atelier_verify')
    ) AS service_schemas
