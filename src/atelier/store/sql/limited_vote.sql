-- Counts one vote, as in votes.sql, within the client's daily quota ($8-$11); returns no position if
-- it was not counted.
WITH allowed AS MATERIALIZED (SELECT count_for_client($8, $9, $10, $11) AS is_allowed),
counted AS MATERIALIZED (
    SELECT count_votes($1, $2, $3, $4, $5, $6, $7) AS position FROM allowed WHERE is_allowed
)
SELECT
    counted.position,
    allowed.is_allowed,
    CASE WHEN is_allowed AND counted.position IS NULL THEN uncount_for_client($8, $9, $10) END
FROM allowed LEFT JOIN counted ON true
