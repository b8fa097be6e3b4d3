INSERT INTO atelier_import.address_keys SELECT * FROM atelier.address_keys;
INSERT INTO atelier_import.daily_counts SELECT * FROM atelier.daily_counts;
DROP SCHEMA atelier CASCADE;
ALTER SCHEMA atelier_import RENAME TO atelier;
DELETE FROM public._pogo_migration WHERE schema_name = 'atelier';
UPDATE public._pogo_migration SET schema_name = 'atelier' WHERE schema_name = 'atelier_import'
