DELETE FROM recent_texts WHERE posted_at < now() - $1::interval
