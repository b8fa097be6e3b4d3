INSERT INTO changes (kind, target) VALUES ('imported', 'all')
