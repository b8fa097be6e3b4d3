-- The first photo tells whether the sample's photos are elsewhere: without them, nothing else is read.
UPDATE photos
SET url = $1::text || '/' || substring(url FROM '^http://127\.0\.0\.1:[0-9]+/demo/photos/(.*)$')
WHERE (
        SELECT url ~ '^http://127\.0\.0\.1:[0-9]+/demo/photos/'
            AND NOT starts_with(url, $1::text || '/')
        FROM photos
        ORDER BY id
        LIMIT 1
    )
    AND url ~ '^http://127\.0\.0\.1:[0-9]+/demo/photos/'
