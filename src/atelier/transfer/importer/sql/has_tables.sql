SELECT to_regclass('atelier.questions') IS NOT NULL
