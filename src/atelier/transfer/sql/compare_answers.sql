-- One row: the rows of the live table, how many of their ids {relation} has, too, and how many
-- of those rows are the same in all columns.
SELECT
    (SELECT count(*) FROM atelier.answers),
    count(*),
    count(*) FILTER (WHERE
        (n.question_id, n.body, n.date_written, n.answerer_name, n.answerer_email, n.reported, n.helpful)
        = (o.question_id, o.body, o.date_written, o.answerer_name, o.answerer_email, o.reported, o.helpful))
FROM {relation} AS n JOIN atelier.answers AS o ON o.id = n.id
