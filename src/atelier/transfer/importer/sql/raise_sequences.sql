-- New ids continue above the largest imported one.
SELECT setval(s.sequence, s.max_id)
FROM (
    SELECT pg_get_serial_sequence('questions', 'id') AS sequence, max(id) AS max_id
    FROM atelier_import.questions
    UNION ALL
    SELECT pg_get_serial_sequence('answers', 'id'), max(id) FROM atelier_import.answers
    UNION ALL
    SELECT pg_get_serial_sequence('photos', 'id'), max(id) FROM atelier_import.photos
) AS s
WHERE s.max_id >= coalesce(pg_sequence_last_value(s.sequence::regclass), 1)
