-- Remove the leftovers of a killed import.
DROP SCHEMA IF EXISTS atelier_import_files CASCADE;
DROP SCHEMA IF EXISTS atelier_import CASCADE;
DELETE FROM public._pogo_migration WHERE schema_name = 'atelier_import'
