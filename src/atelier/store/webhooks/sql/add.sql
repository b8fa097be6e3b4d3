SELECT add_webhook($1, $2, $3, $4, $5) AS id
