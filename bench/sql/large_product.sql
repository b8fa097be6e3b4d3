-- A product outside the catalogue with 50,000 questions of two answers each.
INSERT INTO questions (id, product_id, body, date_written, asker_name, asker_email, helpful)
SELECT
    900000000 + n,
    2000000000,
    'Question number ' || n || ': does the lining feel as soft as it looks in the pictures?',
    timestamptz '2020-01-01' + n * interval '1 minute',
    'shopper' || n,
    'shopper@example.com',
    n % 50
FROM generate_series(1, 50000) AS n;

INSERT INTO answers (id, question_id, body, date_written, answerer_name, answerer_email, helpful)
SELECT
    900000000 + n,
    900000000 + (n + 1) / 2,
    'Answer number ' || n || ': it does, and it stayed so after a few washes.',
    timestamptz '2021-01-01' + n * interval '1 minute',
    'owner' || n,
    'owner@example.com',
    n % 20
FROM generate_series(1, 100000) AS n;
