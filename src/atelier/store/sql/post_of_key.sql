-- The id of the question or answer written with a key; null if it was erased.
SELECT post_id FROM idempotency_keys WHERE key = $1
