-- The texts of the questions whose summaries existed before their columns
-- depends: 20261127_34_summary_texts
-- transaction: false

-- migrate: apply

-- In steps, each committed, so that a writer of one of these questions waits for one step only. What
-- writers have filled meanwhile is newer, and stays.
DO $$
DECLARE
    previous bigint := NULL;
    step bigint[];
BEGIN
    LOOP
        step := array(
            SELECT question_id FROM question_summaries
            WHERE previous IS NULL OR question_id > previous
            ORDER BY question_id LIMIT 1000);
        EXIT WHEN step = '{}';
        UPDATE question_summaries s
        SET opening = v.opening,
            answer_ids = v.answer_ids,
            answer_openings = v.answer_openings,
            answer_closings = v.answer_closings
        FROM question_summary_view v
        WHERE v.question_id = s.question_id
          AND s.question_id = ANY (step)
          AND s.opening IS NULL;
        previous := step[cardinality(step)];
        COMMIT;
    END LOOP;
END $$;

-- migrate: rollback
