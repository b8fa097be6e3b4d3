-- A vote changes no index of answers any more, so the new row stays beside the old one
-- depends: 20261127_35_fill_summary_texts

-- migrate: apply

-- By itself: it waits for those who read answers, and others wait behind it (docs/decisions/0009).
-- IF EXISTS: databases of a checkout of 27 November have dropped it in an earlier form of migration 33.
DROP INDEX IF EXISTS answers_page;

-- migrate: rollback

CREATE INDEX answers_page ON answers (question_id, helpful DESC, id DESC) WHERE NOT reported;
