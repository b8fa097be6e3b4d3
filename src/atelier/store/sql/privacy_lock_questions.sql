-- As every writer does: questions first, in id order. FOR UPDATE, because some may be deleted;
-- upgrading a weaker lock later could deadlock.
SELECT id FROM questions WHERE id = ANY ($1) ORDER BY id FOR UPDATE
