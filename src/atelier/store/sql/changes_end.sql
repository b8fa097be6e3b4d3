SELECT position, id FROM changes WHERE position IS NOT NULL ORDER BY position DESC LIMIT 1
