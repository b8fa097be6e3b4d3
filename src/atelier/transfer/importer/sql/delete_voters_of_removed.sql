-- Deletes the voters and reports of everything that the new schema does not contain; $1: only
-- those of this last interval, or all of them if null.
WITH voters_of_removed AS (
    DELETE FROM atelier.voters v
    WHERE v.created_at >= coalesce(now() - $1::interval, '-infinity')
      AND CASE v.target
          WHEN 'question' THEN NOT EXISTS (
              SELECT FROM atelier_import.questions q WHERE q.id = v.target_id)
          ELSE NOT EXISTS (
              SELECT FROM atelier_import.answers a WHERE a.id = v.target_id)
          END
)
DELETE FROM atelier.reports r
WHERE r.created_at >= coalesce(now() - $1::interval, '-infinity')
  AND CASE r.target
      WHEN 'question' THEN NOT EXISTS (
          SELECT FROM atelier_import.questions q WHERE q.id = r.target_id)
      ELSE NOT EXISTS (
          SELECT FROM atelier_import.answers a WHERE a.id = r.target_id)
      END
