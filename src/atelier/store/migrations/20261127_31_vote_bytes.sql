-- The number of votes in a document is replaced as bytes: texts are searched character by character
-- depends: 20261127_30_imports

-- migrate: apply

-- A quarter of the time, for characters of UTF-8 must be counted (docs/decisions/0009). Both names
-- are ASCII, whose bytes are in no other character.
CREATE OR REPLACE FUNCTION with_votes(document text, part text, name text, votes integer)
RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    content bytea := convert_to(document, 'UTF8');
    place integer := position(convert_to(part, 'UTF8') IN content);
    rest bytea;
BEGIN
    place := place - 1 + length(name)
        + position(convert_to(name, 'UTF8') IN substr(content, place));
    rest := substr(content, place);
    RETURN convert_from(
        substr(content, 1, place - 1)
            || convert_to(votes::text, 'UTF8')
            || substr(rest, position('\x2c'::bytea IN rest)),  -- from the comma on
        'UTF8');
END $$;

-- migrate: rollback

CREATE OR REPLACE FUNCTION with_votes(document text, part text, name text, votes integer)
RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    place integer := position(part IN document);
BEGIN
    place := place + position(name IN substr(document, place)) + length(name) - 1;
    RETURN overlay(document PLACING votes::text
        FROM place FOR position(',' IN substr(document, place)) - 1);
END $$;
