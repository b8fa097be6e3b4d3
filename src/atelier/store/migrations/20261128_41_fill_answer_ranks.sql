-- The votes of the answers in the documents that existed before their column
-- depends: 20261128_40_answer_ranks
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
            SELECT question_id FROM question_documents
            WHERE previous IS NULL OR question_id > previous
            ORDER BY question_id LIMIT 1000);
        EXIT WHEN step = '{}';
        PERFORM 1
        FROM question_documents
        WHERE question_id = ANY (step)
        ORDER BY question_id
        FOR NO KEY UPDATE;
        UPDATE question_documents d
        SET answer_ids = v.answer_ids, answer_ranks = v.answer_ranks
        FROM question_document_view v
        WHERE v.question_id = d.question_id
          AND v.question_id = ANY (step)
          AND d.answer_ids IS NULL;
        previous := step[cardinality(step)];
        COMMIT;
    END LOOP;
END $$;

-- migrate: rollback
