SELECT id, attempt, url, message_id, sent_at, body, signatures
FROM claim_webhook_delivery($1, $2::interval)
