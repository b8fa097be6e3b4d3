SELECT rotate_webhook_key($1, $2, $3, $4::interval) AS found
