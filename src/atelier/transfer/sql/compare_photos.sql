-- One row: the rows of the live table, how many of their ids {relation} has, too, and how many
-- of those rows are the same in all columns.
SELECT
    (SELECT count(*) FROM atelier.photos),
    count(*),
    count(*) FILTER (WHERE
        (n.answer_id, n.url)
        = (o.answer_id, o.url))
FROM {relation} AS n JOIN atelier.photos AS o ON o.id = n.id
