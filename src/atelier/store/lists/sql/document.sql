-- A question as /v1 shows it, from its summary and its votes, with its first answers. A rank is an
-- answer's votes, with another bit if the answer is by "Seller"; it stands at the place of its texts.
-- A single answer, which most questions have, needs no sorting.
k.opening || k.helpful || ',"answer_count":' || k.answer_count || ',"answers":['
    || CASE
        WHEN k.answer_count = 0 OR requested.answers_limit = 0 THEN ''
        WHEN k.answer_count = 1
        THEN k.answer_openings[1] || (k.answer_ranks[1] & 2147483647) || k.answer_closings[1]
        ELSE (
            SELECT string_agg(
                k.answer_openings[place]
                    || (k.answer_ranks[place] & 2147483647)
                    || k.answer_closings[place],
                ',')
            FROM (
                SELECT place
                FROM generate_subscripts(k.answer_ranks, 1) AS place
                ORDER BY k.answer_ranks[place] DESC, place DESC
                LIMIT requested.answers_limit
            ) AS first
        ) END
    || ']}'
