-- How many posts each rule of a version has held or refused, and when it last did.
SELECT rule, posts, iso_date(last_at) AS last_at FROM rule_counts WHERE version = $1
