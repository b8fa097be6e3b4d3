-- A digest of a text has the time of its post. Without it nobody can test a guess of an erased text.
DELETE FROM recent_texts WHERE date_trunc('milliseconds', posted_at) = ANY ($1)
