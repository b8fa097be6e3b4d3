-- The export's three files as plain tables, without keys and indexes.
CREATE TABLE questions (
    id bigint NOT NULL,
    product_id bigint NOT NULL,
    body text NOT NULL,
    date_written bigint NOT NULL,
    asker_name text NOT NULL,
    asker_email text NOT NULL,
    reported boolean NOT NULL,
    helpful integer NOT NULL
);
CREATE TABLE answers (
    id bigint NOT NULL,
    question_id bigint NOT NULL,
    body text NOT NULL,
    date_written bigint NOT NULL,
    answerer_name text NOT NULL,
    answerer_email text NOT NULL,
    reported boolean NOT NULL,
    helpful integer NOT NULL
);
CREATE TABLE photos (
    id bigint NOT NULL,
    answer_id bigint NOT NULL,
    url text NOT NULL
);
