SELECT set_webhook_state($1, $2) AS found
