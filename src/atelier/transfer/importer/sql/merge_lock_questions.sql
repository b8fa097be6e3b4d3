-- Prevents deadlocks with the service, which also locks questions first and in id order: all
-- questions that receive answers or photos are locked before the first write.
WITH locked AS (
    SELECT q.id
    FROM questions q
    WHERE q.id IN (
        SELECT s.question_id
        FROM atelier_import.answers s
        WHERE NOT EXISTS (SELECT FROM answers a WHERE a.id = s.id)
        UNION
        SELECT a.question_id
        FROM atelier_import.photos s JOIN answers a ON a.id = s.answer_id
        WHERE NOT EXISTS (SELECT FROM photos p WHERE p.id = s.id))
    ORDER BY q.id
    FOR NO KEY UPDATE
)
SELECT count(*) FROM locked
