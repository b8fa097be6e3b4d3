-- Keeps why posts are hidden that the new schema hides too, and what was reported but not hidden.
-- Deletes the texts of edits of posts that the new schema does not contain.
WITH deleted AS (
    DELETE FROM atelier.edited_texts t
    WHERE CASE t.target
        WHEN 'question' THEN NOT EXISTS (
            SELECT FROM atelier_import.questions q WHERE q.id = t.target_id)
        ELSE NOT EXISTS (
            SELECT FROM atelier_import.answers a WHERE a.id = t.target_id)
        END
),
added AS (
    INSERT INTO atelier_import.moderation_states (target, target_id, product_id, state, since)
    SELECT s.target, s.target_id, s.product_id, s.state, s.since
    FROM atelier.moderation_states s
    WHERE s.state = 'reported'
      AND EXISTS (
          SELECT FROM atelier.reports r WHERE r.target_id = s.target_id AND r.target = s.target)
    ON CONFLICT DO NOTHING
)
UPDATE atelier_import.moderation_states n
SET state = s.state, since = s.since
FROM atelier.moderation_states s
WHERE s.target = n.target AND s.target_id = n.target_id AND s.state <> 'reported'
