// A client calls every endpoint once, and every body is checked. Finally it reports what it wrote,
// so that no page shows it. PRODUCT (1) is the product to which it writes.

import { check, fail } from 'k6';
import http from 'k6/http';

import { BASE_URL } from './lib/workloads.js';

const PRODUCT = __ENV.PRODUCT || '1';
const TAG = `smoke-${Date.now()}`;
const JSON_BODY = { headers: { 'Content-Type': 'application/json' } };
const ISO_DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

export const options = {
  vus: 1,
  iterations: 1,
  thresholds: { checks: ['rate==1'] },
};

const url = (path) => `${BASE_URL}${path}`;
const everything = 'page=1&count=1000000';

function questions() {
  const response = http.get(url(`/qa/questions?product_id=${PRODUCT}&${everything}`));
  const page = JSON.parse(response.body); // response.json() would sort the fields
  check(response, {
    'questions: 200': (r) => r.status === 200,
    'questions: JSON': (r) => r.headers['Content-Type'].startsWith('application/json'),
    'questions: the product id is a string': () => page.product_id === PRODUCT,
    'questions: no page, no count': () => Object.keys(page).join() === 'product_id,results',
    'questions: sorted by helpfulness, then id': () => isSorted(page.results,
      (q) => [q.question_helpfulness, q.question_id]),
    'questions: no e-mail address': (r) => !r.body.includes('jane@example.com'),
  });
  return page.results;
}

function answers(question) {
  const response = http.get(url(`/qa/questions/${question}/answers?${everything}`));
  const page = JSON.parse(response.body);
  check(response, {
    'answers: 200': (r) => r.status === 200,
    'answers: envelope': () => page.question === String(question) && page.page === '1'
      && page.count === '1000000',
    'answers: sorted by helpfulness, then id': () => isSorted(page.results,
      (a) => [a.helpfulness, a.answer_id]),
  });
  return page.results;
}

function isSorted(rows, key) {
  return rows.every((row, n) => {
    if (n === 0) return true;
    const [[a, b], [c, d]] = [key(rows[n - 1]), key(row)];
    return a > c || (a === c && b > d);
  });
}

function ask() {
  const body = { body: `${TAG} Does it shrink?`, name: 'jane', email: 'jane@example.com' };
  const product = { product_id: Number(PRODUCT) };
  const response = http.post(url('/qa/questions'), JSON.stringify({ ...body, ...product }), JSON_BODY);
  check(response, {
    'ask: 201': (r) => r.status === 201,
    'ask: Created': (r) => r.body === 'Created',
  });
  const found = questions().find((q) => q.question_body.startsWith(TAG));
  if (!found) fail('the question asked is not on the page');
  check(found, {
    'question: fields': (q) => Object.keys(q).join() === 'question_id,question_body,question_date,'
      + 'asker_name,question_helpfulness,reported,answers',
    'question: values': (q) => q.asker_name === 'jane' && q.question_helpfulness === 0
      && q.reported === false && Object.keys(q.answers).length === 0,
    'question: ISO date': (q) => ISO_DATE.test(q.question_date),
  });
  return found.question_id;
}

function answer(question) {
  const photos = ['https://example.com/1.jpg', 'https://example.com/2.jpg'];
  const body = { body: `${TAG} It does not.`, name: 'joe', email: 'joe@example.com', photos };
  const response = http.post(url(`/qa/questions/${question}/answers`), JSON.stringify(body), JSON_BODY);
  check(response, {
    'answer: 201': (r) => r.status === 201,
    'answer: Created': (r) => r.body === 'Created',
  });
  const [found] = answers(question);
  if (!found) fail('the answer given is not on the page');
  check(found, {
    'answer: values': (a) => a.body === body.body && a.answerer_name === 'joe' && a.helpfulness === 0,
    'answer: ISO date': (a) => ISO_DATE.test(a.date),
    'answer: photos in order': (a) => a.photos.map((photo) => photo.url).join() === photos.join()
      && a.photos.every((photo) => Number.isInteger(photo.id)),
  });
  const nested = byId(question)?.answers[found.answer_id];
  check(nested, {
    'answer: also inside its question': (a) => a !== undefined && a.id === found.answer_id
      && a.photos.join() === photos.join(),
  });
  return found.answer_id;
}

function byId(question) {
  return questions().find((q) => q.question_id === question);
}

function put(path) {
  const response = http.put(url(path));
  check(response, {
    [`${path.split('/').pop()}: 204`]: (r) => r.status === 204,
    [`${path.split('/').pop()}: empty`]: (r) => !r.body,
  });
}

function rejections() {
  const rejected = (response, status, text) => check(response, {
    [`rejected: ${text}`]: (r) => r.status === status && r.body.startsWith(text),
  });
  const expected = { responseCallback: http.expectedStatuses(404, 422) };
  rejected(http.get(url('/qa/questions?product_id=hello'), expected), 422,
    'Error: invalid product_id provided');
  rejected(http.get(url('/qa/questions/hello/answers'), expected), 404,
    'Error: invalid question id provided');
  rejected(http.put(url('/qa/answers/hello/helpful'), null, expected), 404,
    'Error: invalid answer id provided');
  rejected(http.post(url('/qa/questions'), '{}', { ...JSON_BODY, ...expected }), 422,
    'Error: Question body contains invalid entries');
}

export default function smoke() {
  check(http.get(url('/ready')), { 'ready: 200': (r) => r.status === 200 });
  const question = ask();
  const answerId = answer(question);
  put(`/qa/questions/${question}/helpful`);
  put(`/qa/answers/${answerId}/helpful`);
  const voted = byId(question);
  check(voted, {
    'votes: both counted': (q) => q.question_helpfulness === 1 && q.answers[answerId].helpfulness === 1,
  });
  put(`/qa/answers/${answerId}/report`);
  check(answers(question), { 'report: the answer is gone': (rows) => rows.length === 0 });
  put(`/qa/questions/${question}/report`);
  check(byId(question), { 'report: the question is gone': (q) => q === undefined });
  rejections();
}
