-- $2-$8: one array per column of a decision: target, id, action, version, reason, note, text.
SELECT outcome, decision FROM decide($1, $2, $3, $4, $5, $6, $7, $8)
