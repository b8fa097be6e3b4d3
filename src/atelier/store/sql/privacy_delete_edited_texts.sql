-- The texts that moderators' edits replaced, and those that replaced them; $1: questions, $2: answers.
DELETE FROM edited_texts
WHERE target = 'question' AND target_id = ANY ($1) OR target = 'answer' AND target_id = ANY ($2)
