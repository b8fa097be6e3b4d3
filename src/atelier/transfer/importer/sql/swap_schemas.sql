DROP SCHEMA atelier CASCADE;
ALTER SCHEMA atelier_import RENAME TO atelier;
DELETE FROM public._pogo_migration WHERE schema_name = 'atelier';
UPDATE public._pogo_migration SET schema_name = 'atelier' WHERE schema_name = 'atelier_import'
