-- The id ranges of the workloads: the catalogue ends below 800,000,000. The hot product has a full
-- page. The bytes are those of all systems' tables and indexes.
SELECT
    (SELECT max(id) FROM questions WHERE id < 800000000) AS questions,
    (SELECT max(id) FROM answers WHERE id < 800000000) AS answers,
    (SELECT max(id) FROM photos WHERE id < 800000000) AS photos,
    (SELECT product_id FROM questions WHERE NOT reported AND id <= 1000
     GROUP BY product_id HAVING count(*) = 5 ORDER BY product_id LIMIT 1) AS hot_product,
    pg_database_size(current_database()) AS bytes
