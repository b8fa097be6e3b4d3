-- The decisions before $1, the newest first; by actor $2, of action $3, about the post $4 $5, unless null.
SELECT id, decision_document(id) AS decision
FROM moderation_decisions
WHERE id < $1
  AND ($2::text IS NULL OR actor = $2)
  AND ($3::text IS NULL OR action = $3)
  AND ($4::text IS NULL OR target = $4)
  AND ($5::bigint IS NULL OR target_id = $5)
ORDER BY id DESC
LIMIT $6
