// What all pages of the console share: requests, dates, messages, the keyboard.

const meta = (name) => document.querySelector(`meta[name=${name}]`)?.content ?? "";
export const visitor = meta("visitor");

async function request(path, options = {}) {
  const response = await fetch(path, {
    ...options,
    headers: { Accept: "application/json, application/problem+json", ...options.headers },
  });
  if (response.status === 401) location.assign("/console/sign-in");
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.detail ?? `The service answered ${response.status}.`);
  return body;
}

export const get = (path) => request(path);

// Ids are given as text: a number of JavaScript would lose digits beyond 2^53.
export const post = (path, body) =>
  request(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": meta("csrf") },
    body: JSON.stringify(body).replace(/"id":"(-?\d+)"/g, '"id":$1'),
  });

export function announce(text) {
  document.querySelector("#announcements").textContent = text;
}

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export function ago(date) {
  const seconds = (date - Date.now()) / 1000;
  if (Math.abs(seconds) > 30 * 86400) return absolute.format(date);
  for (const [unit, size] of units)
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  return relative.format(0, "second");
}

export function showTimes(root = document) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const date = new Date(time.dateTime);
    if (Number.isNaN(date.valueOf())) continue;
    time.textContent = ago(date);
    time.title = absolute.format(date);
  }
}

// The decision as text: who did what, when and why.
export function decided(decision) {
  const who = decision.actor === visitor ? "You" : decision.actor;
  const what = { restore: "restored", remove: "removed", hold: "held", undo: "undid a decision about",
    answer_as_seller: "answered", edit_typo: "corrected" }[decision.action] ?? decision.action;
  const note = decision.note ? `, “${decision.note}”` : "";
  return `${who} ${what} this ${ago(new Date(decision.decided_at))} (${decision.reason.replaceAll("_", " ")}${note})`;
}

// Calls the function for a key, unless somebody types or holds a modifier.
export function onKeys(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select, dialog")) return;
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action(event.key);
  });
}

// A list in which j and k move, past what is done.
export function walk(list) {
  const open = () => [...list.children].filter((post) => !post.matches(".done"));
  const current = () => document.activeElement?.closest(".post");
  const focus = (post) => {
    post?.focus({ preventScroll: true });
    post?.scrollIntoView({ block: "nearest" });
  };
  const move = (by) => {
    const posts = [...list.children];
    const from = posts.indexOf(current());
    const rest = by > 0 ? posts.slice(from + 1) : posts.slice(0, Math.max(from, 0)).reverse();
    focus(rest.find((post) => !post.matches(".done")) ?? current() ?? open()[0]);
  };
  return { current, focus, next: () => move(1), previous: () => move(-1), first: () => focus(open()[0]) };
}

showTimes();
