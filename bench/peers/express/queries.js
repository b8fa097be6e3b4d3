// The statements, named so that pg prepares each once per connection.

const DATE = `'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'`;

const named = (name, text) => (values) => ({ name, text, values });

export const questionsPage = named('questions_page', `
  SELECT coalesce(json_agg(page), '[]')::text AS results
  FROM (
    SELECT
      q.id AS question_id,
      q.body AS question_body,
      to_char(q.date_written AT TIME ZONE 'UTC', ${DATE}) AS question_date,
      q.asker_name,
      q.helpful AS question_helpfulness,
      q.reported,
      coalesce((
        SELECT json_object_agg(a.id, json_build_object(
          'id', a.id,
          'body', a.body,
          'date', to_char(a.date_written AT TIME ZONE 'UTC', ${DATE}),
          'answerer_name', a.answerer_name,
          'helpfulness', a.helpful,
          'photos', coalesce(
            (SELECT json_agg(p.url ORDER BY p.id) FROM photos p WHERE p.answer_id = a.id), '[]')))
        FROM answers a
        WHERE a.question_id = q.id AND NOT a.reported), '{}') AS answers
    FROM questions q
    WHERE q.product_id = $1 AND NOT q.reported
    ORDER BY q.helpful DESC, q.id DESC
    LIMIT $2 OFFSET $3
  ) AS page`);

export const answersPage = named('answers_page', `
  SELECT coalesce(json_agg(page), '[]')::text AS results
  FROM (
    SELECT
      a.id AS answer_id,
      a.body,
      to_char(a.date_written AT TIME ZONE 'UTC', ${DATE}) AS date,
      a.answerer_name,
      a.helpful AS helpfulness,
      coalesce((
        SELECT json_agg(json_build_object('id', p.id, 'url', p.url) ORDER BY p.id)
        FROM photos p
        WHERE p.answer_id = a.id), '[]') AS photos
    FROM answers a
    JOIN questions q ON q.id = a.question_id
    WHERE a.question_id = $1 AND NOT a.reported AND NOT q.reported
    ORDER BY a.helpful DESC, a.id DESC
    LIMIT $2 OFFSET $3
  ) AS page`);

export const addQuestion = named('add_question', `
  INSERT INTO questions (product_id, body, asker_name, asker_email)
  VALUES ($1, $2, $3, $4)`);

export const addAnswer = named('add_answer', `
  WITH answer AS (
    INSERT INTO answers (question_id, body, answerer_name, answerer_email)
    SELECT id, $2, $3, $4 FROM questions WHERE id = $1
    RETURNING id
  ), added AS (
    INSERT INTO photos (answer_id, url)
    SELECT answer.id, given.url
    FROM answer, unnest($5::text[]) WITH ORDINALITY AS given (url, position)
    ORDER BY given.position
  )
  SELECT id FROM answer`);

export const votes = {
  'questions/helpful': named('question_helpful',
    'UPDATE questions SET helpful = helpful + 1 WHERE id = $1'),
  'questions/report': named('question_report',
    'UPDATE questions SET reported = true WHERE id = $1'),
  'answers/helpful': named('answer_helpful',
    'UPDATE answers SET helpful = helpful + 1 WHERE id = $1'),
  'answers/report': named('answer_report',
    'UPDATE answers SET reported = true WHERE id = $1'),
};
