-- One row: the rows of the live table, how many of their ids {relation} has, too, and how many
-- of those rows are the same in all columns.
SELECT
    (SELECT count(*) FROM atelier.{table}),
    count(*),
    count(*) FILTER (WHERE ({new}) = ({old}))
FROM {relation} AS n JOIN atelier.{table} AS o ON o.id = n.id
