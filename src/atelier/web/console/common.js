// What all pages of the console share: requests, dates, messages, the keyboard.

const given = JSON.parse(document.querySelector("#texts").textContent);

// Returns a text of the page's language with its values filled in.
export function t(name, ...values) {
  return given.texts[name].replaceAll("{}", () => values.shift());
}

// The reader's own form of the page's language, such as en-GB; with the digits of the page.
const isOfPage = (each) => each.split("-")[0] === document.documentElement.lang;
export const locale = new Intl.Locale(navigator.languages.find(isOfPage) ?? document.documentElement.lang, {
  numberingSystem: "latn",
}).toString();

const SIGN_IN = "/console/sign-in";
const meta = (name) => document.querySelector(`meta[name=${name}]`);
const unreachable = () => {
  throw new Error(t("unreachable"));
};

async function request(path, options = {}) {
  const headers = { Accept: "application/json, application/problem+json", "Accept-Language": document.documentElement.lang };
  const response = await fetch(path, { ...options, headers: { ...headers, ...options.headers } }).catch(unreachable);
  const body = await response.json().catch(() => ({}));
  if (response.status === 401) signedOut();
  else document.querySelector("#signed-out")?.remove();
  if (!response.ok) throw Object.assign(new Error(body.detail ?? t("status", response.status)), { status: response.status });
  return body;
}

// Leads to the sign-in; where somebody has typed something, in another tab.
function signedOut() {
  const fields = [...document.querySelectorAll("textarea, input:not([type=hidden], [type=checkbox])")];
  if (!fields.some((field) => field.value !== field.defaultValue)) return location.assign(SIGN_IN);
  if (document.querySelector("#signed-out")) return;
  const link = make("a", { href: SIGN_IN, target: "_blank" }, t("sign_in_again"));
  const notice = make("p", { id: "signed-out", class: "card notice bad", role: "alert" });
  document.querySelector("main").prepend(notice);
  notice.append(make("span", {}, t("signed_out"), " ", link, t("then_again")));
}

// Takes over the session that this browser has now, which may be another one than that of the page.
async function renew() {
  const response = await fetch("/console/search").catch(unreachable);
  if (response.status === 401) {
    signedOut();
    throw new Error(t("signed_out"));
  }
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const before = meta("csrf").content;
  for (const name of ["csrf", "visitor"]) meta(name).content = page.querySelector(`meta[name=${name}]`)?.content ?? "";
  for (const field of document.querySelectorAll("input[name=csrf]")) field.value = meta("csrf").content;
  document.querySelector("#signed-out")?.remove();
  return meta("csrf").content !== before;
}

export const get = (path) => request(path);

// Ids are given as text: a number of JavaScript would lose digits beyond 2^53.
export async function post(path, body) {
  const send = () =>
    request(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": meta("csrf").content },
      body: JSON.stringify(body).replace(/"id":"(-?\d+)"/g, '"id":$1'),
    });
  try {
    return await send();
  } catch (error) {
    if (error.status === 403 && (await renew())) return send();
    throw error;
  }
}

// A form is sent only while there is a session: otherwise what was typed would be lost.
let checked;
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || form === checked) return;
  event.preventDefault();
  try {
    await renew();
    checked = form;
    form.requestSubmit(event.submitter);
  } catch (error) {
    announce(error.message);
  }
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
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
const absolute = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });

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

// A reason code in the page's language; those of other programs keep their name.
const reasonOf = (code) => given.reasons[code] ?? code.replaceAll("_", " ");

// The decision as text: who did what, when and why.
export function decided(decision) {
  const who = decision.actor === meta("visitor").content ? t("you") : decision.actor;
  const note = decision.note ? `, ${t("note", decision.note)}` : "";
  return t("decided", t(`by_${decision.action}`, who), ago(new Date(decision.decided_at)), `${reasonOf(decision.reason)}${note}`);
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
