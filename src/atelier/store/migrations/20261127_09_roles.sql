-- What the role of the service may not do itself, two functions do with the owner's rights
-- depends: 20261122_04_votes

-- migrate: apply

-- Triggers that these fire run with the owner's rights and the same path, so they need neither. The
-- path is written out: a build has its name only until it is swapped in. pg_temp is last, lest a
-- temporary table be taken for one of ours (docs/decisions/0014).
ALTER FUNCTION count_votes SECURITY DEFINER SET search_path = atelier, pg_temp;
ALTER FUNCTION refresh_documents SECURITY DEFINER SET search_path = atelier, pg_temp;
REVOKE EXECUTE ON FUNCTION count_votes FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION refresh_documents FROM PUBLIC;

-- migrate: rollback

GRANT EXECUTE ON FUNCTION count_votes TO PUBLIC;
GRANT EXECUTE ON FUNCTION refresh_documents TO PUBLIC;
ALTER FUNCTION count_votes SECURITY INVOKER RESET search_path;
ALTER FUNCTION refresh_documents SECURITY INVOKER RESET search_path;
