// The workloads. BASE_URL is the service, PRODUCTS the size of its catalogue. Votes use ids up to
// QUESTIONS and ANSWERS; any export of that size has the default numbers of them.

import http from 'k6/http';

export const BASE_URL = (__ENV.BASE_URL || 'http://127.0.0.1:8080').replace(/\/$/, '');

const PRODUCTS = Number(__ENV.PRODUCTS || 1000);
const QUESTIONS = Number(__ENV.QUESTIONS || 3 * PRODUCTS);
const ANSWERS = Number(__ENV.ANSWERS || 5 * PRODUCTS);
const HOT = Number(__ENV.PRODUCT || 1);
const JSON_BODY = { headers: { 'Content-Type': 'application/json' } };

const any = (n) => 1 + Math.floor(Math.random() * n);

// Approximately Zipf with s = 1: the logarithm of the rank is uniform. Ranks are scattered over ids.
const popular = () => (Math.floor(PRODUCTS ** Math.random()) * 999983) % PRODUCTS + 1;

// One name per kind of URL: k6 would otherwise keep metrics for each URL.
function options(name, tags, more = {}) {
  return { ...more, tags: { name, ...tags } };
}

export function page(product, tags) {
  return http.get(`${BASE_URL}/qa/questions?product_id=${product}`, options('page', tags));
}

function answers(tags) {
  return http.get(`${BASE_URL}/qa/questions/${any(QUESTIONS)}/answers`, options('answers', tags));
}

function v1Page(tags, more, query = '') {
  const url = `${BASE_URL}/v1/products/${any(PRODUCTS)}/questions${query}`;
  return http.get(url, options('v1 page', tags, more));
}

function v1Five(tags) {
  return v1Page(tags, {}, '?limit=5');
}

function v1Unchanged(tags) {
  return v1Page(tags, { headers: { 'If-None-Match': '*' } });
}

function v1Batch(tags) {
  const ids = Array.from({ length: 20 }, () => any(PRODUCTS));
  return http.get(`${BASE_URL}/v1/questions?product_ids=${ids}`, options('v1 batch', tags));
}

function v1Summary(tags) {
  return http.get(`${BASE_URL}/v1/products/${any(PRODUCTS)}/summary`, options('v1 summary', tags));
}

function vote(tags) {
  const target = Math.random() < 0.5 ? `questions/${any(QUESTIONS)}` : `answers/${any(ANSWERS)}`;
  return http.put(`${BASE_URL}/qa/${target}/helpful`, null, options('vote', tags));
}

function post(tags) {
  const fields = { body: 'Does it run small?', name: 'jane', email: 'jane@example.com' };
  if (Math.random() < 0.5) {
    const body = JSON.stringify({ ...fields, product_id: any(PRODUCTS) });
    return http.post(`${BASE_URL}/qa/questions`, body, options('question', tags, JSON_BODY));
  }
  const url = `${BASE_URL}/qa/questions/${any(QUESTIONS)}/answers`;
  return http.post(url, JSON.stringify(fields), options('answer', tags, JSON_BODY));
}

function mix(tags) {
  const random = Math.random();
  if (random < 0.85) return page(any(PRODUCTS), tags);
  if (random < 0.95) return answers(tags);
  return random < 0.99 ? vote(tags) : post(tags);
}

const workloads = {
  uniform: (tags) => page(any(PRODUCTS), tags),
  zipf: (tags) => page(popular(), tags),
  hot: (tags) => page(HOT, tags),
  answers,
  v1: (tags) => v1Page(tags),
  'v1-five': v1Five,
  'v1-304': v1Unchanged,
  'v1-batch': v1Batch,
  'v1-summary': v1Summary,
  votes: vote,
  mix,
};

export function workload(fallback) {
  const name = __ENV.WORKLOAD || fallback;
  if (!(name in workloads)) throw new Error(`WORKLOAD must be one of ${Object.keys(workloads)}`);
  return workloads[name];
}
