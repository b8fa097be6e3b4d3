-- $2: the rules' source, null for none; $3: the version that they replace, 0 for none, null for any.
SELECT outcome, version FROM change_rules($1, $2, $3)
