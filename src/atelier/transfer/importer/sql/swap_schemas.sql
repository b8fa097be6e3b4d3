-- The record of erasures is not part of an export: it moves to the new schema.
DROP TABLE atelier_import.erasures;
ALTER TABLE atelier.erasures SET SCHEMA atelier_import;
-- Voters are kept: the ids in an export identify the same questions and answers as before.
DROP TABLE atelier_import.voters, atelier_import.reports, atelier_import.voter_secret;
ALTER TABLE atelier.voters SET SCHEMA atelier_import;
ALTER TABLE atelier.reports SET SCHEMA atelier_import;
ALTER TABLE atelier.voter_secret SET SCHEMA atelier_import;
-- The daily counts of clients are kept, with the keys of their hashes.
DROP TABLE atelier_import.daily_counts, atelier_import.address_keys;
ALTER TABLE atelier.daily_counts SET SCHEMA atelier_import;
ALTER TABLE atelier.address_keys SET SCHEMA atelier_import;
-- Tokens are kept, too, with the sessions that they opened; so are the samples of the instances.
DROP TABLE atelier_import.console_sessions, atelier_import.tokens, atelier_import.instance_samples;
ALTER TABLE atelier.tokens SET SCHEMA atelier_import;
ALTER TABLE atelier.console_sessions SET SCHEMA atelier_import;
ALTER TABLE atelier.instance_samples SET SCHEMA atelier_import;
-- So are the moderation rules, and what they compare posts with.
DROP TABLE
    atelier_import.moderation_rules, atelier_import.rule_counts,
    atelier_import.posted_texts, atelier_import.posting_clients;
ALTER TABLE atelier.moderation_rules SET SCHEMA atelier_import;
ALTER TABLE atelier.rule_counts SET SCHEMA atelier_import;
ALTER TABLE atelier.posted_texts SET SCHEMA atelier_import;
ALTER TABLE atelier.posting_clients SET SCHEMA atelier_import;
-- Webhooks are kept, with their keys and the log of their deliveries.
DROP TABLE atelier_import.webhook_deliveries, atelier_import.webhook_keys, atelier_import.webhooks;
ALTER TABLE atelier.webhooks SET SCHEMA atelier_import;
ALTER TABLE atelier.webhook_keys SET SCHEMA atelier_import;
ALTER TABLE atelier.webhook_deliveries SET SCHEMA atelier_import;
-- So is the record of imports, with the row of this one.
DROP TABLE atelier_import.imports;
ALTER TABLE atelier.imports SET SCHEMA atelier_import;
-- The change feed is kept; one event stands for everything that the import changes.
INSERT INTO atelier.changes (kind, target) VALUES ('imported', 'all');
DROP TABLE atelier_import.changes;
ALTER TABLE atelier.changes SET SCHEMA atelier_import;
-- The decisions of moderators are kept, with the functions of the triggers that stay on moved tables.
DROP TABLE atelier_import.moderation_decisions, atelier_import.edited_texts;
DROP FUNCTION atelier_import.refuse_change, atelier_import.report_added;
ALTER TABLE atelier.moderation_decisions SET SCHEMA atelier_import;
ALTER TABLE atelier.edited_texts SET SCHEMA atelier_import;
ALTER FUNCTION atelier.refuse_change SET SCHEMA atelier_import;
ALTER FUNCTION atelier.report_added SET SCHEMA atelier_import;
DROP SCHEMA atelier CASCADE;
ALTER SCHEMA atelier_import RENAME TO atelier;
DELETE FROM public._pogo_migration WHERE schema_name = 'atelier';
UPDATE public._pogo_migration SET schema_name = 'atelier' WHERE schema_name = 'atelier_import'
