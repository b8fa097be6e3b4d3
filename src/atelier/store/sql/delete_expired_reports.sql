DELETE FROM reports WHERE created_at < now() - $1::interval
