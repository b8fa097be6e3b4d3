-- Three functions run with the owner's privileges, because the service's role lacks those they need
-- depends: 20261127_08_privacy

-- migrate: apply

-- Triggers that these fire run with the owner's privileges and the same search path, so they need
-- neither setting. The path names the final schema, because an import builds its schema under
-- another name. pg_temp is last so that a temporary table cannot replace one of these tables
-- (docs/decisions/0014).
ALTER FUNCTION count_votes SECURITY DEFINER SET search_path = atelier, pg_temp;
ALTER FUNCTION count_votes_once SECURITY DEFINER SET search_path = atelier, pg_temp;
ALTER FUNCTION refresh_documents SECURITY DEFINER SET search_path = atelier, pg_temp;
REVOKE EXECUTE ON FUNCTION count_votes FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION count_votes_once FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION refresh_documents FROM PUBLIC;

-- migrate: rollback

GRANT EXECUTE ON FUNCTION count_votes TO PUBLIC;
GRANT EXECUTE ON FUNCTION count_votes_once TO PUBLIC;
GRANT EXECUTE ON FUNCTION refresh_documents TO PUBLIC;
ALTER FUNCTION count_votes SECURITY INVOKER RESET search_path;
ALTER FUNCTION count_votes_once SECURITY INVOKER RESET search_path;
ALTER FUNCTION refresh_documents SECURITY INVOKER RESET search_path;
