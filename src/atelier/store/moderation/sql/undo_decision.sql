SELECT outcome, decision FROM undo_decision($1, $2, $3, $4)
