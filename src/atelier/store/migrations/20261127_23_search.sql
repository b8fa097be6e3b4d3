-- Search within a product: comparable texts, kept for large products only
-- depends: 20261127_22_check_summaries

-- migrate: apply

-- The form in which texts are compared: no case, no accents, no invisible characters, one form of
-- quotes and dashes. atelier.store.search.folding is the same in Python; a test compares them.
-- With the locale C, lower() changes ASCII only, so it is given a collation if there is one.
DO $do$
BEGIN
    EXECUTE format(
        $sql$
        CREATE FUNCTION search_fold(body text) RETURNS text
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
        AS $$
            SELECT CASE
                WHEN octet_length(body) = char_length(body)
                    THEN translate(lower(body%1$s), E'\t\n\u000b\f\r', '     ')
                ELSE replace(replace(replace(replace(translate(
                    lower(regexp_replace(
                        normalize(body, NFKD),
                        '[\u00ad\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5'
                        '\u05c7\u0610-\u061a\u061c\u064b-\u065f\u0670\u180e\u200b-\u200f\u202a-\u202e'
                        '\u2060-\u206f\ufe00-\ufe0f\ufeff]+',
                        '', 'g')%1$s),
                    E'\t\n\u000b\f\r\u0085\u2028\u2029øłđħŧıðς‘’ʼ“”–—‐',
                    E'        oldhtidσ\'\'\'""---'),
                    'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th')
                END
        $$
        $sql$,
        (SELECT ' COLLATE pg_catalog.' || quote_ident(collname)
         FROM pg_collation
         WHERE collname IN ('pg_c_utf8', 'und-x-icu')
           AND collnamespace = 'pg_catalog'::regnamespace
         ORDER BY collname
         LIMIT 1));
END $do$;

-- The comparable texts of a visible question: its own, and before its answers, each after a line
-- break. A space before each, so that a word begins where it follows one. Words: the question's
-- without punctuation. OFFSET 0: computed once a row, however often a statement uses it.
CREATE VIEW search_text_view AS
SELECT q.id AS question_id, q.product_id, texts.question, texts.everything, texts.words
FROM questions q
CROSS JOIN LATERAL (
    SELECT
        folded.question,
        folded.question || coalesce((
            SELECT string_agg(E'\n ' || search_fold(a.body) || ' ', '' ORDER BY a.id)
            FROM answers a WHERE a.question_id = q.id AND NOT a.reported), '') AS everything,
        regexp_replace(
            folded.question, '[\s!-/:-@\[-`{-~\u2000-\u206f\u3000-\u303f]+', ' ', 'g') AS words
    FROM (SELECT ' ' || search_fold(q.body) || ' ' AS question OFFSET 0) AS folded
    OFFSET 0
) AS texts
WHERE NOT q.reported;

-- Products whose texts are kept in search_texts. They are complete once `is_filled`; they are
-- filled when no transaction is left that began before `horizon` and may have missed this row.
CREATE TABLE search_products (
    product_id bigint NOT NULL,
    horizon xid8,
    is_filled boolean NOT NULL DEFAULT false,
    CONSTRAINT search_products_pkey PRIMARY KEY (product_id)
);

CREATE TABLE search_texts (
    question_id bigint NOT NULL,
    product_id bigint NOT NULL,
    question text NOT NULL,
    everything text NOT NULL,
    words text NOT NULL,
    CONSTRAINT search_texts_pkey PRIMARY KEY (question_id)
);

CREATE INDEX search_texts_product_id ON search_texts (product_id);

-- A row that a concurrent fill has inserted, but not committed, is waited for and then replaced.
CREATE FUNCTION refresh_search_text() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    changed bigint := coalesce(NEW.question_id, OLD.question_id);
BEGIN
    IF NOT EXISTS (SELECT FROM search_products) THEN
        RETURN NULL;
    END IF;
    DELETE FROM search_texts WHERE question_id = changed;
    INSERT INTO search_texts (question_id, product_id, question, everything, words)
    SELECT v.question_id, v.product_id, v.question, v.everything, v.words
    FROM search_text_view v JOIN search_products p ON p.product_id = v.product_id
    WHERE v.question_id = changed
    ON CONFLICT (question_id) DO UPDATE
    SET product_id = excluded.product_id,
        question = excluded.question,
        everything = excluded.everything,
        words = excluded.words;
    RETURN NULL;
END $$;

CREATE FUNCTION truncate_search_texts() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM search_products;
    DELETE FROM search_texts;
    RETURN NULL;
END $$;

-- Not for votes: they update a document without setting its product.
CREATE TRIGGER refresh_search_text AFTER INSERT OR DELETE OR UPDATE OF product_id
ON question_documents
FOR EACH ROW EXECUTE FUNCTION refresh_search_text();
CREATE TRIGGER truncate_search_texts AFTER TRUNCATE ON question_documents
FOR EACH STATEMENT EXECUTE FUNCTION truncate_search_texts();

-- migrate: rollback

DROP FUNCTION refresh_search_text, truncate_search_texts CASCADE;
DROP TABLE search_texts, search_products;
DROP VIEW search_text_view;
DROP FUNCTION search_fold;
