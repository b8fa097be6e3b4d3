-- A group of votes and reports in one transaction: $1-$3 on questions, $4-$6 on answers
-- (ids, how often helpful, whether reported). Every writer locks questions first and in id
-- order, so writers wait for each other but never in a circle; `turn` makes both updates wait
-- for all the locks.
WITH question_votes AS (
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::boolean[]) AS v (id, helpful, reported)
),
answer_votes AS (
    SELECT * FROM unnest($4::bigint[], $5::bigint[], $6::boolean[]) AS v (id, helpful, reported)
),
locked AS MATERIALIZED (
    SELECT q.id
    FROM questions q
    WHERE q.id IN (
        SELECT v.id FROM question_votes v
        UNION
        SELECT a.question_id FROM answers a JOIN answer_votes v ON v.id = a.id)
    ORDER BY q.id
    FOR NO KEY UPDATE
),
turn AS MATERIALIZED (SELECT count(*) FROM locked),
voted_questions AS (
    UPDATE questions q
    SET helpful = least(q.helpful + v.helpful, 2147483647),
        reported = q.reported OR v.reported
    FROM question_votes v, turn
    WHERE q.id = v.id
    RETURNING q.id
),
voted_answers AS (
    UPDATE answers a
    SET helpful = least(a.helpful + v.helpful, 2147483647),
        reported = a.reported OR v.reported
    FROM answer_votes v, turn
    WHERE a.id = v.id
    RETURNING a.id
)
SELECT 'question' AS target, id FROM voted_questions
UNION ALL
SELECT 'answer', id FROM voted_answers
