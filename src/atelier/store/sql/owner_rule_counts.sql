-- How many posts each moderation rule of each version has held or refused, the newest version first.
SELECT version, rule, posts, iso_date(last_at) AS last_at
FROM rule_counts
ORDER BY version DESC, rule
