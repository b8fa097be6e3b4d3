-- Every decision, the oldest first; by actor $1, of action $2, about the post $3 $4, unless null.
SELECT decision_document(id) AS decision
FROM moderation_decisions
WHERE ($1::text IS NULL OR actor = $1)
  AND ($2::text IS NULL OR action = $2)
  AND ($3::text IS NULL OR target = $3)
  AND ($4::bigint IS NULL OR target_id = $4)
ORDER BY id
