-- One row: the rows of the live table, how many of their ids {relation} has, too, and how many
-- of those rows are the same in all columns.
SELECT
    (SELECT count(*) FROM atelier.questions),
    count(*),
    count(*) FILTER (WHERE
        (n.product_id, n.body, n.date_written, n.asker_name, n.asker_email, n.reported, n.helpful)
        = (o.product_id, o.body, o.date_written, o.asker_name, o.asker_email, o.reported, o.helpful))
FROM {relation} AS n JOIN atelier.questions AS o ON o.id = n.id
