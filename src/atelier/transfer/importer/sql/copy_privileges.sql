-- Gives a build exactly the privileges of the live schema that it will replace: on the schema, on
-- relations and their columns, and on functions. Revokes what default privileges added.
DO $$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        WITH relations AS (
            SELECT
                CASE live.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char" AS kind,
                CASE live.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS word,
                quote_ident(live.relname) AS name,
                live.oid AS live,
                build.oid AS build,
                live.relowner AS live_owner,
                build.relowner AS build_owner,
                live.relacl AS live_acl,
                build.relacl AS build_acl
            FROM pg_class AS live
            JOIN pg_class AS build ON build.relname = live.relname AND build.relkind = live.relkind
            WHERE live.relnamespace = 'atelier'::regnamespace
                AND build.relnamespace = 'atelier_import'::regnamespace
                AND live.relkind IN ('r', 'p', 'v', 'm', 'S')
        ),
        -- The objects of the privileges; `columns` is empty unless a privilege is limited to a column.
        objects AS (
            SELECT
                'n'::"char" AS kind,
                '' AS columns,
                'SCHEMA atelier_import' AS name,
                live.nspowner AS live_owner,
                build.nspowner AS build_owner,
                live.nspacl AS live_acl,
                build.nspacl AS build_acl
            FROM pg_namespace AS live, pg_namespace AS build
            WHERE live.nspname = 'atelier' AND build.nspname = 'atelier_import'
            UNION ALL
            SELECT
                kind, '', format('%s atelier_import.%s', word, name),
                live_owner, build_owner, live_acl, build_acl
            FROM relations
            UNION ALL
            SELECT
                'c', format(' (%I)', live.attname), format('%s atelier_import.%s', r.word, r.name),
                r.live_owner, r.build_owner, live.attacl, build.attacl
            FROM relations AS r
            JOIN pg_attribute AS live ON live.attrelid = r.live
            JOIN pg_attribute AS build
                ON build.attrelid = r.build AND build.attname = live.attname
            WHERE NOT live.attisdropped AND live.attnum > 0
            UNION ALL
            SELECT
                'f', '', format('ROUTINE %s', build.oid::regprocedure),
                live.proowner, build.proowner, live.proacl, build.proacl
            FROM pg_proc AS live
            JOIN pg_proc AS build
                ON build.proname = live.proname AND build.proargtypes = live.proargtypes
            WHERE live.pronamespace = 'atelier'::regnamespace
                AND build.pronamespace = 'atelier_import'::regnamespace
        ),
        differing AS (
            SELECT
                columns, name, build_owner,
                coalesce(live_acl, acldefault(kind, live_owner)) AS live_acl,
                coalesce(build_acl, acldefault(kind, build_owner)) AS build_acl
            FROM objects
            WHERE live_acl IS DISTINCT FROM build_acl OR live_owner <> build_owner
        )
        SELECT sql
        FROM (
            SELECT 1 AS step, format(
                'REVOKE ALL%s ON %s FROM %s', columns, name,
                CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END) AS sql
            FROM differing, aclexplode(build_acl)
            WHERE grantee <> build_owner
            UNION
            SELECT 2, format(
                'GRANT %s%s ON %s TO %s%s', privilege_type, columns, name,
                CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END,
                CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
            FROM differing, aclexplode(live_acl)
            WHERE grantee <> build_owner
        ) AS statements
        ORDER BY step
    LOOP
        EXECUTE statement;
    END LOOP;
END $$
