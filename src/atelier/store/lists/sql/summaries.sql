-- Summaries of products for /v1, in the order of the request.
SELECT
    convert_to('{"product_id":' || requested.product_id || ',' || totals.members || '}', 'UTF8')
        AS summary
FROM unnest($1::bigint[]) WITH ORDINALITY AS requested (product_id, position)
CROSS JOIN LATERAL (
{totals}
) AS totals
ORDER BY requested.position
