-- Question ids that bound partitions of similar size, estimated from a sample of $1 %.
SELECT percentile_disc($2::float8[]) WITHIN GROUP (ORDER BY id)
FROM questions_lines TABLESAMPLE SYSTEM ($1)
