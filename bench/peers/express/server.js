// One instance, on the unix socket SOCKET; PGHOST, PGDATABASE etc. name the database.

import express from 'express';
import pg from 'pg';

import { addAnswer, addQuestion, answersPage, questionsPage, votes } from './queries.js';

const pool = new pg.Pool({ max: Number(process.env.POOL_SIZE ?? 10), options: '-c search_path=peer -c plan_cache_mode=force_generic_plan' });

class HttpError extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

function integer(text, error) {
  if (!/^-?\d{1,18}$/.test(text)) throw error;
  return text;
}

function paging({ page, count }) {
  const number = integer(page ?? '1', new HttpError(422, 'Error: invalid page provided'));
  const take = integer(count ?? '5', new HttpError(422, 'Error: invalid count provided'));
  if (number < 0) throw new HttpError(422, 'Error: invalid page provided');
  if (take < 0) throw new HttpError(422, 'Error: invalid count provided');
  return { page, count, take, skip: Math.max(number - 1, 0) * take };
}

function required(what, fields, ...names) {
  return names.map((name) => {
    if (!fields?.[name]) throw new HttpError(422, `Error: ${what} body contains invalid entries: ${name}`);
    return fields[name];
  });
}

const invalidId = (kind) => new HttpError(404, `Error: invalid ${kind} id provided`);

const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.use(express.json());

app.get('/qa/questions', async (req, res) => {
  const error = new HttpError(422, 'Error: invalid product_id provided');
  const productId = integer(req.query.product_id, error);
  const { take, skip } = paging(req.query);
  const { rows: [{ results }] } = await pool.query(questionsPage([productId, take, skip]));
  res.type('json').send(`{"product_id":"${productId}","results":${results}}`);
});

app.get('/qa/questions/:id/answers', async (req, res) => {
  const id = integer(req.params.id, invalidId('question'));
  const { page, count, take, skip } = paging(req.query);
  const { rows: [{ results }] } = await pool.query(answersPage([id, take, skip]));
  const envelope = JSON.stringify({ question: id, page: page ?? 1, count: count ?? 5 });
  res.type('json').send(`${envelope.slice(0, -1)},"results":${results}}`);
});

app.post('/qa/questions', async (req, res) => {
  const values = required('Question', req.body, 'product_id', 'body', 'name', 'email');
  await pool.query(addQuestion(values));
  res.status(201).type('text').send('Created');
});

app.post('/qa/questions/:id/answers', async (req, res) => {
  const id = integer(req.params.id, invalidId('question'));
  const values = required('Answer', req.body, 'body', 'name', 'email');
  const { rows } = await pool.query(addAnswer([id, ...values, req.body.photos ?? []]));
  if (!rows.length) throw invalidId('question');
  res.status(201).type('text').send('Created');
});

for (const [route, statement] of Object.entries(votes)) {
  const [targets, action] = route.split('/');
  const error = () => invalidId(targets.slice(0, -1));
  app.put(`/qa/${targets}/:id/${action}`, async (req, res) => {
    const { rowCount } = await pool.query(statement([integer(req.params.id, error())]));
    if (!rowCount) throw error();
    res.status(204).end();
  });
}

app.use((error, req, res, next) => {
  const status = error.status ?? 500;
  if (status === 500) console.error(error);
  res.status(status).type('text').send(status === 500 ? 'Error: try again' : error.message);
});

const server = app.listen({ path: process.env.SOCKET, writableAll: true });
server.keepAliveTimeout = 75_000; // longer than nginx keeps an idle connection

process.on('SIGTERM', () => {
  server.close(() => pool.end());
  server.closeAllConnections();
});
