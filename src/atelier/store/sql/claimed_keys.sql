SELECT key, fingerprint FROM idempotency_keys WHERE key = ANY ($1::text[])
