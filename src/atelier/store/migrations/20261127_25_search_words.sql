-- Search in large products: the words of their texts, with the places where each stands
-- depends: 20261127_24_rules

-- migrate: apply

-- Before the trigger is dropped, which stops readers until the end. A product that becomes large in
-- between is found with its next question.
CREATE TEMPORARY TABLE large_products AS
SELECT product_id FROM question_summaries GROUP BY product_id HAVING count(*) > 500;

DROP FUNCTION refresh_search_text, truncate_search_texts CASCADE;
DROP TABLE search_texts, search_products;
DROP VIEW search_text_view;

-- The comparable texts of a visible question: its own, and after a line break each of its answers.
-- A space before and after each. OFFSET 0: computed once a row, however often a statement uses it.
CREATE VIEW search_text_view AS
SELECT q.id AS question_id, q.product_id, texts.everything
FROM questions q
CROSS JOIN LATERAL (
    SELECT ' ' || search_fold(q.body) || ' ' || coalesce((
        SELECT string_agg(E'\n ' || search_fold(a.body) || ' ', '' ORDER BY a.id)
        FROM answers a WHERE a.question_id = q.id AND NOT a.reported), '') AS everything
    OFFSET 0
) AS texts
WHERE NOT q.reported;

-- Products whose texts are indexed. They are complete once `is_filled`; they are filled when no
-- transaction is left that began before `horizon` and may have missed this row. Size: how many
-- numbers the product's questions have been given in the index.
CREATE TABLE search_products (
    product_id bigint NOT NULL,
    horizon xid8,
    is_filled boolean NOT NULL DEFAULT false,
    size integer NOT NULL DEFAULT 0,
    CONSTRAINT search_products_pkey PRIMARY KEY (product_id)
);

-- Everything: as the view shows it, null if the question is not visible. Number: where it is in the
-- index, null if it is not there yet. Indexed: the text that the index has, if it has another one.
CREATE TABLE search_texts (
    question_id bigint NOT NULL,
    product_id bigint NOT NULL,
    everything text,
    number integer,
    indexed text,
    is_changed boolean NOT NULL DEFAULT true,
    CONSTRAINT search_texts_pkey PRIMARY KEY (question_id, product_id) INCLUDE (number)
);

CREATE INDEX search_texts_number ON search_texts (product_id, number) INCLUDE (question_id);
CREATE INDEX search_texts_changed ON search_texts (product_id, question_id) WHERE is_changed;

-- Where each word stands: at twice the number of a question, and one more where it stands in an
-- answer. A few places are a list, more are bits. A word is what stands between two spaces; it may be
-- too long for an index, its digest is not.
CREATE TABLE search_words (
    product_id bigint NOT NULL,
    digest bytea NOT NULL,
    word text NOT NULL,
    few integer[],
    many bytea,
    CONSTRAINT search_words_pkey PRIMARY KEY (product_id, digest)
);

CREATE FUNCTION change_search_places(
    INOUT few integer[], INOUT many bytea, added integer[], removed integer[])
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    place integer;
    missing integer;
BEGIN
    IF many IS NULL THEN
        few := array(SELECT unnest(few) EXCEPT SELECT unnest(removed)) || added;
        IF cardinality(few) <= 128 THEN
            RETURN;
        END IF;
        many := '';
        added := few;
        removed := NULL;
        few := NULL;
    END IF;
    missing := (SELECT max(each) FROM unnest(added) AS each) / 8 + 1 - length(many);
    IF missing > 0 THEN
        many := many || decode(repeat('00', missing), 'hex');
    END IF;
    FOREACH place IN ARRAY coalesce(added, '{}') LOOP
        many := set_bit(many, place, 1);
    END LOOP;
    FOREACH place IN ARRAY coalesce(removed, '{}') LOOP
        many := set_bit(many, place, 0);
    END LOOP;
END $$;

-- Brings the index up to date with at most `most` changed texts of a product; returns their number.
-- One at a time does this for a product, so its words change one statement after the other.
CREATE FUNCTION index_search_texts(of_product bigint, most integer) RETURNS integer
LANGUAGE plpgsql
SECURITY DEFINER SET search_path = atelier, pg_temp
AS $$
DECLARE
    next_number integer;
    texts integer;
BEGIN
    SELECT p.size INTO next_number
    FROM search_products p WHERE p.product_id = of_product
    FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    WITH changed AS MATERIALIZED (
        SELECT t.question_id, t.number, t.everything, coalesce(t.indexed, '') AS indexed
        FROM search_texts t
        WHERE t.product_id = of_product AND t.is_changed
        ORDER BY t.question_id
        LIMIT most
        FOR UPDATE SKIP LOCKED
    ),
    numbered AS MATERIALIZED (
        SELECT
            c.question_id,
            c.everything,
            c.indexed,
            coalesce(c.number, (next_number - 1 + row_number() OVER (
                PARTITION BY c.number IS NULL ORDER BY c.question_id))::integer) AS number
        FROM changed c
    ),
    after AS MATERIALIZED (
        SELECT n.number * 2 + (line.place > 1)::integer AS place, word
        FROM numbered n
        CROSS JOIN unnest(string_to_array(n.everything, E'\n')) WITH ORDINALITY AS line (text, place)
        CROSS JOIN unnest(string_to_array(line.text, ' ')) AS word
        WHERE word <> ''
    ),
    before AS MATERIALIZED (
        SELECT n.number * 2 + (line.place > 1)::integer AS place, word
        FROM numbered n
        CROSS JOIN unnest(string_to_array(n.indexed, E'\n')) WITH ORDINALITY AS line (text, place)
        CROSS JOIN unnest(string_to_array(line.text, ' ')) AS word
        WHERE word <> ''
    ),
    changes AS (
        SELECT
            word,
            sha256(convert_to(word, 'UTF8')) AS digest,
            array_agg(place) FILTER (WHERE is_added) AS added,
            array_agg(place) FILTER (WHERE NOT is_added) AS removed
        FROM (
            (SELECT word, place, true AS is_added
             FROM (TABLE after EXCEPT TABLE before) AS added (place, word))
            UNION ALL
            (SELECT word, place, false AS is_added
             FROM (TABLE before EXCEPT TABLE after) AS removed (place, word))
        ) AS each
        GROUP BY word
    ),
    written AS (
        INSERT INTO search_words AS w (product_id, digest, word, few, many)
        SELECT of_product, c.digest, c.word, places.few, places.many
        FROM changes c
        LEFT JOIN search_words old ON old.product_id = of_product AND old.digest = c.digest
        CROSS JOIN LATERAL change_search_places(old.few, old.many, c.added, c.removed) AS places
        ON CONFLICT (product_id, digest) DO UPDATE SET few = excluded.few, many = excluded.many
    ),
    kept AS (
        UPDATE search_texts t
        SET number = n.number, indexed = NULL, is_changed = false
        FROM numbered n
        WHERE t.question_id = n.question_id AND t.product_id = of_product
          AND n.everything IS NOT NULL
    ),
    deleted AS (
        DELETE FROM search_texts t USING numbered n
        WHERE t.question_id = n.question_id AND t.product_id = of_product AND n.everything IS NULL
    )
    SELECT count(*), coalesce(max(n.number) + 1, 0) INTO texts, next_number FROM numbered n;
    UPDATE search_products p SET size = greatest(p.size, next_number)
    WHERE p.product_id = of_product AND p.size < next_number;
    DELETE FROM search_words w WHERE w.product_id = of_product AND w.few = '{}';
    RETURN texts;
END $$;
REVOKE EXECUTE ON FUNCTION index_search_texts FROM PUBLIC;

-- Products with more than 500 questions are indexed. A row that a concurrent fill has inserted, but
-- not committed, is waited for and then replaced.
CREATE FUNCTION refresh_search_text() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    changed bigint := coalesce(NEW.question_id, OLD.question_id);
BEGIN
    IF TG_OP = 'INSERT'
        AND NOT EXISTS (SELECT FROM search_products WHERE product_id = NEW.product_id)
        AND EXISTS (
            SELECT FROM question_documents WHERE product_id = NEW.product_id OFFSET 500)
    THEN
        INSERT INTO search_products (product_id) VALUES (NEW.product_id) ON CONFLICT DO NOTHING;
    END IF;
    IF NOT EXISTS (SELECT FROM search_products) THEN
        RETURN NULL;
    END IF;
    UPDATE search_texts t
    SET everything = NULL,
        indexed = CASE WHEN t.is_changed THEN t.indexed ELSE t.everything END,
        is_changed = true
    WHERE t.question_id = changed
      AND NOT EXISTS (
          SELECT FROM questions q
          WHERE q.id = changed AND q.product_id = t.product_id AND NOT q.reported);
    INSERT INTO search_texts AS t (question_id, product_id, everything)
    SELECT v.question_id, v.product_id, v.everything
    FROM search_text_view v JOIN search_products p ON p.product_id = v.product_id
    WHERE v.question_id = changed
    ON CONFLICT (question_id, product_id) DO UPDATE
    SET everything = excluded.everything,
        indexed = CASE WHEN t.is_changed THEN t.indexed ELSE t.everything END,
        is_changed = true
    WHERE t.everything IS DISTINCT FROM excluded.everything;
    RETURN NULL;
END $$;

CREATE FUNCTION truncate_search_texts() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM search_products;
    DELETE FROM search_texts;
    DELETE FROM search_words;
    RETURN NULL;
END $$;

-- Not for votes: they update a document without setting its product.
CREATE TRIGGER refresh_search_text AFTER INSERT OR DELETE OR UPDATE OF product_id
ON question_documents
FOR EACH ROW EXECUTE FUNCTION refresh_search_text();
CREATE TRIGGER truncate_search_texts AFTER TRUNCATE ON question_documents
FOR EACH STATEMENT EXECUTE FUNCTION truncate_search_texts();

INSERT INTO search_products (product_id) SELECT product_id FROM large_products;
DROP TABLE large_products;

-- migrate: rollback

DROP FUNCTION refresh_search_text, truncate_search_texts CASCADE;
DROP FUNCTION index_search_texts, change_search_places;
DROP TABLE search_texts, search_products, search_words;
DROP VIEW search_text_view;

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
