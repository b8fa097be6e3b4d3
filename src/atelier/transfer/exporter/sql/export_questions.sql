SELECT
    id,
    product_id,
    body,
    floor(extract(epoch FROM date_written) * 1000)::bigint AS date_written,
    asker_name,
    asker_email,
    reported::integer AS reported,
    helpful
FROM questions
ORDER BY id
