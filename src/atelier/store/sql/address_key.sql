-- Returns the key of a day ($1), stored before or now ($2). The update changes nothing, but returns
-- the stored row; the service's role must not update the key.
INSERT INTO address_keys AS k (day, key) VALUES ($1, $2)
ON CONFLICT (day) DO UPDATE SET day = k.day
RETURNING key
