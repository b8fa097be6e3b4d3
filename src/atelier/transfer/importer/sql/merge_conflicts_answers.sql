INSERT INTO rejected_rows (table_name, id, reason)
SELECT 'answers', s.id, 'conflict'
FROM {relation} s JOIN answers a ON a.id = s.id
WHERE (s.question_id, s.body, s.date_written, s.answerer_name, s.answerer_email,
       s.reported, s.helpful)
   IS DISTINCT FROM
   (a.question_id, a.body, a.date_written, a.answerer_name, a.answerer_email,
    a.reported, a.helpful)
