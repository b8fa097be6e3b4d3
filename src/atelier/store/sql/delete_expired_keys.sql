DELETE FROM idempotency_keys WHERE created_at < now() - $1::interval
