-- A standby can tell that it has replayed all that it received, but for a record that is incomplete
-- depends: 20261127_36_drop_answers_page

-- migrate: apply

-- Whether recovery waits before it asks for WAL again: it has then replayed every complete record.
-- SECURITY DEFINER: only roles with pg_read_all_stats see what recovery waits for.
CREATE FUNCTION replay_is_complete() RETURNS boolean
LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = atelier, pg_temp
AS $$
    SELECT coalesce(bool_or(wait_event = 'RecoveryRetrieveRetryInterval'), false)
    FROM pg_stat_activity WHERE backend_type = 'startup'
$$;

-- migrate: rollback

DROP FUNCTION replay_is_complete;
