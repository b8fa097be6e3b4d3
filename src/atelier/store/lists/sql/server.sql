-- What the versions of rows belong to: another server, with the same rows in a restored backup, numbers its
-- transactions anew.
extract(epoch FROM pg_postmaster_start_time()) || ' '
