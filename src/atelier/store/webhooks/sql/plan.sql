SELECT plan_webhook_deliveries() AS active
