SELECT
    (SELECT count(*) FROM questions),
    (SELECT count(*) FROM answers),
    (SELECT count(*) FROM photos)
