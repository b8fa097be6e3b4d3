-- Before the first query: an import that swaps the schemas would otherwise come in between.
LOCK TABLE questions, answers, photos, question_documents IN ACCESS SHARE MODE
