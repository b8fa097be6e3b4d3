INSERT INTO questions (product_id, body, asker_name, asker_email)
VALUES ($1, $2, $3, $4)
