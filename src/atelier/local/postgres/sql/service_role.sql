-- The privileges of the service's role. Run this as the role that migrates; it can be run again.
BEGIN;
REVOKE ALL ON SCHEMA atelier FROM {role};
REVOKE ALL ON ALL TABLES IN SCHEMA atelier FROM {role};
REVOKE ALL ON ALL SEQUENCES IN SCHEMA atelier FROM {role};
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA atelier FROM {role};
ALTER DEFAULT PRIVILEGES REVOKE ALL ON SCHEMAS FROM {role};
ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM {role};
GRANT USAGE ON SCHEMA atelier TO {role};
GRANT SELECT (id, product_id, body, date_written, asker_name, reported, helpful),
    INSERT (product_id, body, asker_name, asker_email)
    ON atelier.questions TO {role};
GRANT SELECT (id, question_id, body, date_written, answerer_name, reported, helpful),
    INSERT (question_id, body, answerer_name, answerer_email)
    ON atelier.answers TO {role};
GRANT SELECT (id, answer_id, url), INSERT (answer_id, url) ON atelier.photos TO {role};
GRANT SELECT ON atelier.question_documents TO {role};
GRANT SELECT (question_id, answer_id, helpful, document) ON atelier.answer_document_view TO {role};
GRANT SELECT
    ON atelier.question_summaries, atelier.v1_question_view, atelier.v1_answer_view,
        atelier.v1_answer_part_view
    TO {role};
GRANT SELECT (key, fingerprint, created_at, post_id), INSERT (key, fingerprint),
    UPDATE (fingerprint, created_at, post_id), DELETE
    ON atelier.idempotency_keys TO {role};
GRANT SELECT (product_id, digest, posted_at), INSERT (product_id, digest), UPDATE (posted_at), DELETE
    ON atelier.recent_texts TO {role};
GRANT SELECT (ctid, created_at), UPDATE (created_at), DELETE ON atelier.voters TO {role};
GRANT SELECT (created_at), DELETE ON atelier.reports TO {role};
GRANT SELECT (secret), INSERT (secret) ON atelier.voter_secret TO {role};
GRANT SELECT (day, kind, client, count), INSERT, UPDATE (count), DELETE
    ON atelier.daily_counts TO {role};
GRANT SELECT (day, key), INSERT, UPDATE (day), DELETE ON atelier.address_keys TO {role};
GRANT SELECT, DELETE ON atelier.changes TO {role};
GRANT SELECT ON atelier.search_text_view TO {role};
GRANT SELECT, INSERT (question_id, product_id, everything) ON atelier.search_texts TO {role};
GRANT SELECT, INSERT (product_id), UPDATE (horizon, is_filled) ON atelier.search_products TO {role};
GRANT SELECT ON atelier.search_words TO {role};
GRANT EXECUTE ON FUNCTION atelier.index_search_texts TO {role};
GRANT EXECUTE
    ON FUNCTION
        atelier.claim_post, atelier.count_for_client, atelier.uncount_for_client,
        atelier.count_votes, atelier.count_votes_once, atelier.take_back_vote,
        atelier.remember_post, atelier.refresh_documents,
        atelier.position_changes, atelier.find_token
    TO {role};
GRANT SELECT ON atelier.moderation_decisions TO {role};
GRANT SELECT (decision_id, old_body, new_body) ON atelier.edited_texts TO {role};
GRANT EXECUTE
    ON FUNCTION
        atelier.decide, atelier.undo_decision, atelier.moderation_queue, atelier.newest_posts,
        atelier.search_posts
    TO {role};
GRANT SELECT, DELETE ON atelier.webhooks, atelier.webhook_deliveries TO {role};
GRANT EXECUTE
    ON FUNCTION
        atelier.add_webhook, atelier.rotate_webhook_key, atelier.set_webhook_state,
        atelier.plan_webhook_deliveries, atelier.claim_webhook_delivery,
        atelier.finish_webhook_delivery, atelier.replay_webhook_delivery, atelier.test_webhook
    TO {role};
GRANT SELECT, INSERT, DELETE ON atelier.instance_samples TO {role};
GRANT SELECT ON atelier.imports TO {role};
GRANT EXECUTE
    ON FUNCTION
        atelier.open_session, atelier.find_session, atelier.close_session,
        atelier.delete_expired_sessions, atelier.session_tokens, atelier.session_create_token,
        atelier.session_revoke_token, atelier.queue_counts
    TO {role};
GRANT SELECT ON atelier.moderation_rules TO {role};
GRANT SELECT, INSERT, UPDATE (posts, last_at) ON atelier.rule_counts TO {role};
GRANT SELECT, INSERT, UPDATE (posted_at), DELETE ON atelier.posted_texts TO {role};
GRANT SELECT, INSERT, UPDATE (first_at, last_at), DELETE ON atelier.posting_clients TO {role};
GRANT EXECUTE
    ON FUNCTION
        atelier.change_rules, atelier.matches_rule, atelier.judge_post, atelier.record_hold,
        atelier.post_status, atelier.own_post
    TO {role};
GRANT EXECUTE ON FUNCTION atelier.replay_is_complete TO {role};
GRANT SELECT ON public._pogo_migration, public._pogo_version TO {role};
COMMIT;
