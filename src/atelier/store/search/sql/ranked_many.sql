-- The first questions of a product in an order, after a position, that are among those whose bits are
-- set in $6, or in $7.
SELECT k.question_id, k.key
FROM (
    SELECT
        $1::bigint AS product_id,
        $2::bigint AS page_limit,
        $3::text AS filter,
        $4::bigint AS after_key,
        $5::bigint AS after_id,
        $6::bytea AS bits,
        $7::bigint[] AS others
) AS requested
CROSS JOIN LATERAL (
{keys}
) AS k
