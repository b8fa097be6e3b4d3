SELECT replay_webhook_delivery($1, $2) AS id
