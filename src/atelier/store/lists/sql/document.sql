-- A question as /v1 shows it, from its summary and its votes, with its first answers. Their votes
-- alone are read from the table.
k.opening || k.helpful || ',"answer_count":' || k.answer_count || ',"answers":['
    || CASE WHEN k.answer_count > 0 AND requested.answers_limit > 0 THEN (
        SELECT string_agg(k.answer_openings[place] || helpful || k.answer_closings[place], ',')
        FROM (
            SELECT helpful, array_position(k.answer_ids, id) AS place  -- of the chosen ones only
            FROM (
                SELECT a.id, a.helpful
                FROM answers a
                WHERE a.question_id = k.question_id AND NOT a.reported
                ORDER BY a.answerer_name = 'Seller' DESC, a.helpful DESC, a.id DESC
                LIMIT requested.answers_limit
            ) AS first
        ) AS places
    ) ELSE '' END
    || ']}'
