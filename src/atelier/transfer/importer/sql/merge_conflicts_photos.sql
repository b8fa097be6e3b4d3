INSERT INTO rejected_rows (table_name, id, reason)
SELECT 'photos', s.id, 'conflict'
FROM {relation} s JOIN photos p ON p.id = s.id
WHERE (s.answer_id, s.url) IS DISTINCT FROM (p.answer_id, p.url)
