-- A question as /v1 shows it, from its summary and its votes, with its first answers. Their votes
-- alone are read from the table.
k.opening || k.helpful || ',"answer_count":' || k.answer_count || ',"answers":['
    || CASE WHEN k.answer_count > 0 AND requested.answers_limit > 0 THEN (
        SELECT string_agg(
            k.answer_openings[first.place] || first.helpful || k.answer_closings[first.place], ',')
        FROM (
            SELECT a.helpful, array_position(k.answer_ids, a.id) AS place
            FROM answers a
            WHERE a.question_id = k.question_id AND NOT a.reported
            ORDER BY a.answerer_name = 'Seller' DESC, a.helpful DESC, a.id DESC
            LIMIT requested.answers_limit
        ) AS first
    ) ELSE '' END
    || ']}'
