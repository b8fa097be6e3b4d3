INSERT INTO rejected_rows (table_name, id, reason)
SELECT 'questions', s.id, 'conflict'
FROM {relation} s JOIN questions q ON q.id = s.id
WHERE (s.product_id, s.body, s.date_written, s.asker_name, s.asker_email, s.reported, s.helpful)
   IS DISTINCT FROM
   (q.product_id, q.body, q.date_written, q.asker_name, q.asker_email, q.reported, q.helpful)
