-- Copies of products from the whole catalogue, with ids outside it, to which no workload writes:
-- all systems must always give the same responses for them.
INSERT INTO questions (
    id, product_id, body, date_written, asker_name, asker_email, reported, helpful)
SELECT
    id + 800000000, product_id + 800000000,
    body, date_written, asker_name, asker_email, reported, helpful
FROM questions
WHERE product_id IN (
    SELECT 1 + n * current_setting('bench.products')::bigint / 40 FROM generate_series(0, 39) AS n);

INSERT INTO answers (
    id, question_id, body, date_written, answerer_name, answerer_email, reported, helpful)
SELECT
    id + 800000000, question_id + 800000000,
    body, date_written, answerer_name, answerer_email, reported, helpful
FROM answers
WHERE question_id IN (
    SELECT id - 800000000 FROM questions WHERE product_id BETWEEN 800000000 AND 899999999);

INSERT INTO photos (id, answer_id, url)
SELECT id + 800000000, answer_id + 800000000, url
FROM photos
WHERE answer_id IN (
    SELECT id - 800000000 FROM answers WHERE id BETWEEN 800000000 AND 899999999);
