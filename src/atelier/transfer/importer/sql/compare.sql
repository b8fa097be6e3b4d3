-- One row: the number of live rows, how many of their ids are in {relation}, and how many of
-- those rows are identical in all columns.
SELECT
    (SELECT count(*) FROM atelier.{table}),
    count(*),
    count(*) FILTER (WHERE ({new}) = ({old}))
FROM {relation} AS n JOIN atelier.{table} AS o ON o.id = n.id
