-- The changes of the moderation rules, the newest first, at most $1.
SELECT id, version, source, actor, iso_date(changed_at) AS changed_at
FROM moderation_rules
ORDER BY id DESC
LIMIT $1
