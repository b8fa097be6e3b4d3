-- As every writer does: questions first, in id order. FOR UPDATE, for some may be deleted; a
-- weaker lock that is strengthened later could wait for somebody who waits for this one.
SELECT id FROM questions WHERE id = ANY ($1) ORDER BY id FOR UPDATE
