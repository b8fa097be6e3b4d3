ALTER TABLE questions ADD PRIMARY KEY (id);
ALTER TABLE answers ADD PRIMARY KEY (id);
ALTER TABLE photos ADD PRIMARY KEY (id);
CREATE INDEX ON questions (product_id);
CREATE INDEX ON answers (question_id);
CREATE INDEX ON photos (answer_id);
ANALYZE questions, answers, photos;
