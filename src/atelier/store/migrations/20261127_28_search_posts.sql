-- Search in all posts, for moderators; an index for it is built on request
-- depends: 20261127_27_webhooks

-- migrate: apply

-- The words of a text. Indexes on it are named questions_search and answers_search.
CREATE FUNCTION search_vector(body text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = atelier, pg_temp
AS $$ SELECT to_tsvector('pg_catalog.simple', search_fold(body)) $$;

-- Texts with words that begin with each of these.
CREATE FUNCTION search_query(words text) RETURNS tsquery
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = atelier, pg_temp
AS $$
    SELECT regexp_replace(
        plainto_tsquery('pg_catalog.simple', search_fold(words))::text, '''(?= &|$)', ''':*', 'g')::tsquery
$$;

-- Questions or answers that contain all words, with ids below one, the highest first. Span: how many
-- posts are looked through; a row without an item then says where to continue. Null: use the index.
CREATE FUNCTION search_posts(
    of_target text,
    words text,
    of_state text,
    before_id bigint,
    span integer,
    max_items integer
) RETURNS TABLE (item json, target_id bigint, written timestamptz)
LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = atelier, pg_temp
AS $$
DECLARE
    posts text := CASE of_target WHEN 'question' THEN 'questions' ELSE 'answers' END;
    source text;
BEGIN
    IF span IS NULL THEN
        source := format(
            'WITH found AS MATERIALIZED (
                SELECT p.id, p.date_written, p.reported
                FROM %I p
                WHERE search_vector(p.body) @@ $1 AND p.id < $2
            )
            SELECT f.id, f.date_written
            FROM found f
            WHERE CASE $5
                WHEN ''any'' THEN true
                WHEN ''visible'' THEN NOT f.reported
                ELSE EXISTS (
                    SELECT FROM moderation_states s
                    WHERE s.target = %L AND s.target_id = f.id AND s.state = $5)
                END
            ORDER BY f.id DESC LIMIT $4',
            posts, of_target);
    ELSE
        source := CASE
            WHEN of_state = 'any' THEN
                format('SELECT id, body, date_written FROM %I WHERE id < $2', posts)
            WHEN of_state = 'visible' THEN
                format('SELECT id, body, date_written FROM %I WHERE id < $2 AND NOT reported', posts)
            ELSE format(
                'SELECT s.target_id AS id, p.body, p.date_written
                FROM moderation_states s JOIN %I p ON p.id = s.target_id
                WHERE s.target = %L AND s.state = $5 AND s.target_id < $2',
                posts, of_target)
            END || ' ORDER BY id DESC';
        RETURN QUERY EXECUTE
            format('SELECT NULL::json, last.id, NULL::timestamptz FROM (%s OFFSET $3 LIMIT 1) AS last',
                source)
            USING search_query(words), before_id, span - 1, max_items, of_state;
        source := format(
            'SELECT w.id, w.date_written FROM (%s LIMIT $3) AS w
            WHERE search_vector(w.body) @@ $1 ORDER BY w.id DESC LIMIT $4',
            source);
    END IF;
    RETURN QUERY EXECUTE
        format('SELECT queue_item(%L, f.id), f.id, f.date_written FROM (%s) AS f', of_target, source)
        USING search_query(words), before_id, span, max_items, of_state;
END $$;
REVOKE EXECUTE ON FUNCTION search_posts FROM PUBLIC;

-- migrate: rollback

DROP FUNCTION search_posts;
DROP FUNCTION search_query;
DROP FUNCTION search_vector CASCADE;
