-- Returns the key of a day ($1), stored before or now ($2).
INSERT INTO address_keys AS k (day, key) VALUES ($1, $2)
ON CONFLICT (day) DO UPDATE SET key = k.key
RETURNING key
