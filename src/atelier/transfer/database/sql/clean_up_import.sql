-- What an import that was killed may have left.
DROP SCHEMA IF EXISTS atelier_import_files CASCADE;
DROP SCHEMA IF EXISTS atelier_import CASCADE;
DELETE FROM public._pogo_migration WHERE schema_name = 'atelier_import'
