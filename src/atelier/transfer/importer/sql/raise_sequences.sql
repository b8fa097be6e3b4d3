-- New ids continue above the largest one that was read.
SELECT setval(s.sequence, s.largest)
FROM (
    SELECT pg_get_serial_sequence('questions', 'id') AS sequence, max(id) AS largest
    FROM atelier_import.questions
    UNION ALL
    SELECT pg_get_serial_sequence('answers', 'id'), max(id) FROM atelier_import.answers
    UNION ALL
    SELECT pg_get_serial_sequence('photos', 'id'), max(id) FROM atelier_import.photos
) AS s
WHERE s.largest >= coalesce(pg_sequence_last_value(s.sequence::regclass), 1)
