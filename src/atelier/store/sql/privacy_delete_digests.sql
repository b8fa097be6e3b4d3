-- A digest of a text has the time of its post. Without it nobody can test a guess of an erased text.
WITH guarded AS (
    DELETE FROM recent_texts WHERE date_trunc('milliseconds', posted_at) = ANY ($1)
)
DELETE FROM posted_texts WHERE date_trunc('milliseconds', posted_at) = ANY ($1)
