SELECT id, version, source, actor, iso_date(changed_at) AS changed_at
FROM moderation_rules
WHERE version = $1
