-- The last change of the moderation rules.
SELECT id, version, source, actor, iso_date(changed_at) AS changed_at
FROM moderation_rules
ORDER BY id DESC
LIMIT 1
