-- The posts since $1 in the order in which they were written, without those of the shop's moderators.
-- decided: the state to which the last decision of a person brought the post; null without one.
SELECT
    p.target,
    p.id,
    p.product_id,
    p.body,
    p.name,
    p.written,
    (
        SELECT d.state_after
        FROM moderation_decisions d
        WHERE d.target = p.target AND d.target_id = p.id AND d.actor NOT LIKE 'rule %'
        ORDER BY d.id DESC
        LIMIT 1
    ) AS decided
FROM (
    SELECT s.*
    FROM (
        SELECT
            'question' AS target, q.id, q.product_id, q.body, q.asker_name AS name,
            q.date_written AS written
        FROM questions q
        WHERE q.date_written >= $1
        UNION ALL
        SELECT
            'answer', a.id, q.product_id, a.body, a.answerer_name, a.date_written
        FROM answers a JOIN questions q ON q.id = a.question_id
        WHERE a.date_written >= $1
          AND a.id NOT IN (
              SELECT d.answer_id FROM moderation_decisions d WHERE d.action = 'answer_as_seller')
    ) s
    ORDER BY s.written, s.target DESC, s.id
) p
