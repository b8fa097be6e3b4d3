-- For a partition of questions, as they are stored: the number of documents, their checksum, and
-- the same of the summaries. The id is the hash seed.
SELECT *
FROM (
    SELECT
        count(*),
        sum(hash_record_extended(
            ROW (product_id, helpful, document, answer_ids, answer_ranks), question_id))
    FROM question_documents
    WHERE question_id BETWEEN $1 AND $2
) AS documents
CROSS JOIN (
    SELECT
        count(*),
        sum(hash_record_extended(
            ROW (
                product_id, created_at, answer_count, has_seller, has_photos, last_activity,
                opening, answer_ids, answer_openings, answer_closings),
            question_id))
    FROM question_summaries
    WHERE question_id BETWEEN $1 AND $2
) AS summaries
