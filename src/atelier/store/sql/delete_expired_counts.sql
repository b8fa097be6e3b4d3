WITH keys AS (DELETE FROM address_keys WHERE day < $1)
DELETE FROM daily_counts WHERE day < $1
