-- Adds an answer and its photos in the given order; returns no row if the question does not exist,
-- or if the key ($6) is claimed and has not expired ($8).
WITH question AS (SELECT id FROM questions WHERE id = $1),
claimed AS (
    INSERT INTO idempotency_keys AS k (key, fingerprint)
    SELECT $6::text, $7::bytea FROM question WHERE $6::text IS NOT NULL
    ON CONFLICT (key) DO UPDATE
    SET fingerprint = excluded.fingerprint, created_at = excluded.created_at
    WHERE k.created_at < now() - $8::interval
    RETURNING k.key
),
answer AS (
    INSERT INTO answers (question_id, body, answerer_name, answerer_email)
    SELECT id, $2, $3, $4
    FROM question
    WHERE $6::text IS NULL OR EXISTS (SELECT 1 FROM claimed)
    RETURNING id
),
photo AS (
    INSERT INTO photos (answer_id, url)
    SELECT answer.id, new_photo.url
    FROM answer, unnest($5::text[]) WITH ORDINALITY AS new_photo (url, position)
    ORDER BY new_photo.position
)
SELECT id FROM answer
