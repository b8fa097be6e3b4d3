SELECT finish_webhook_delivery($1, $2, $3, $4, $5, $6, $7::interval) AS state
