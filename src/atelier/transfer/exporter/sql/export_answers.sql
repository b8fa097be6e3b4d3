SELECT
    id,
    question_id,
    body,
    floor(extract(epoch FROM date_written) * 1000)::bigint AS date_written,
    answerer_name,
    answerer_email,
    reported::integer AS reported,
    helpful
FROM answers
ORDER BY id
