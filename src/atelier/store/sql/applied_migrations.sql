SELECT migration_id FROM public._pogo_migration WHERE schema_name = $1
