DELETE FROM posting_clients WHERE last_at < now() - $1::interval
