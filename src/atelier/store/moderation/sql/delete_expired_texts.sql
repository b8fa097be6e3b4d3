DELETE FROM posted_texts WHERE posted_at < now() - $1::interval
