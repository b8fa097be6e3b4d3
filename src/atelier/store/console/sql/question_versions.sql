SELECT q.id, post_version('question', q.id, q.body) AS version
FROM questions q
WHERE q.id = ANY ($1::bigint[])
