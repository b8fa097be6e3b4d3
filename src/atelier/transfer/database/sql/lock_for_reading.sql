-- Taken before the first query, so that no import can swap the schemas in between.
LOCK TABLE questions, answers, photos, question_documents, question_summaries IN ACCESS SHARE MODE
