-- Adds an answer and its photos in the given order; returns no row if the question does not exist,
-- and no id if the key ($6) is claimed and has not expired ($8), or if the client's daily quota
-- ($9-$12) is used up.
WITH question AS (SELECT id FROM questions WHERE id = $1),
allowed AS MATERIALIZED (
    SELECT id, CASE
        WHEN $11::bytea IS NULL THEN true ELSE count_for_client($9, $10, $11, $12)
    END AS is_allowed
    FROM question
),
claimed AS (
    INSERT INTO idempotency_keys AS k (key, fingerprint)
    SELECT $6::text, $7::bytea FROM allowed WHERE is_allowed AND $6::text IS NOT NULL
    ON CONFLICT (key) DO UPDATE
    SET fingerprint = excluded.fingerprint, created_at = excluded.created_at
    WHERE k.created_at < now() - $8::interval
    RETURNING k.key
),
answer AS (
    INSERT INTO answers (question_id, body, answerer_name, answerer_email)
    SELECT id, $2, $3, $4
    FROM allowed
    WHERE is_allowed AND ($6::text IS NULL OR EXISTS (SELECT 1 FROM claimed))
    RETURNING id
),
photo AS (
    INSERT INTO photos (answer_id, url)
    SELECT answer.id, new_photo.url
    FROM answer, unnest($5::text[]) WITH ORDINALITY AS new_photo (url, position)
    ORDER BY new_photo.position
)
SELECT
    answer.id,
    allowed.is_allowed,
    CASE WHEN $11 IS NOT NULL AND is_allowed AND answer.id IS NULL THEN
        uncount_for_client($9, $10, $11)
    END
FROM allowed LEFT JOIN answer ON true
