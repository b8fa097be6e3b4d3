SELECT test_webhook($1) AS id
