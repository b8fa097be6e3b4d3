-- Counts one vote, as in votes_once.sql, within the client's daily quota ($12-$15); returns no result
-- if it was not applied.
WITH allowed AS MATERIALIZED (SELECT count_for_client($12, $13, $14, $15) AS is_allowed),
applied AS MATERIALIZED (
    SELECT count_votes_once($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) AS result
    FROM allowed
    WHERE is_allowed
)
SELECT
    (applied.result).is_counted,
    allowed.is_allowed,
    CASE WHEN is_allowed AND (applied.result).is_counted IS NOT TRUE THEN
        uncount_for_client($12, $13, $14)
    END
FROM allowed LEFT JOIN applied ON true
