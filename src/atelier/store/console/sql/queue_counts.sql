SELECT state, count FROM queue_counts($1)
