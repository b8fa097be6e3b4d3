/**
 * What still has to be sent. Every vote, report and post is stored before it is sent and deleted when the
 * service has answered, so that neither a lost connection nor a reload loses it. It is sent again with
 * the same Idempotency-Key, and so takes effect once.
 *
 * An e-mail address is stored only for this tab (sessionStorage). A post that has lost it, or is older
 * than the service remembers keys, is `unfinished`: the person finishes and sends it.
 */
import { keys, LOCAL, read, remove, SESSION, write } from "./storage.js";

const RESEND_TIME = 24 * 3600_000; // milliseconds: ATELIER_IDEMPOTENCY_HOURS by default
const KEEP_TIME = 30 * 24 * 3600_000;
const SLOWEST_RETRY = 60; // seconds

/** Returns a random key. Not crypto.randomUUID, which pages without https lack. */
function newKey() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (number) => number.toString(36)).join("-");
}

/** Deletes what has been waiting for too long, on whatever product of this page's origin. */
function sweep() {
  for (const name of keys(LOCAL, "atelier:")) {
    const entry = name.includes(":outbox:") && read(LOCAL, name);
    if (entry && Date.now() - entry.at > KEEP_TIME) remove(LOCAL, name);
  }
}

export class Outbox {
  #api;
  #prefix;
  #settled;
  #entries = new Map();
  #sending = new Map();
  #failures = 0;
  #timer;

  /** `settled(entry, outcome)` is called after every attempt, `changed()` after other changes. */
  constructor(api, scope, settled, changed) {
    this.#api = api;
    this.#prefix = `${scope}:outbox:`;
    this.#settled = settled;
    this.changed = changed;
  }

  /** Starts to send what is stored, now and whenever the browser is online again. */
  open(signal) {
    sweep();
    this.#load();
    addEventListener("online", () => this.flush(), { signal });
    addEventListener("storage", ({ key }) => key?.startsWith(this.#prefix) && this.#load(), { signal });
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
    this.flush();
  }

  get entries() {
    return [...this.#entries.values()].sort((one, other) => one.at - other.at);
  }

  /** Stores what is to be sent. `isStored` of the result is false where the browser keeps nothing. */
  add(entry) {
    const added = { key: newKey(), at: Date.now(), state: "new", ...entry };
    added.isStored = this.#store(added);
    this.#entries.set(added.key, added);
    return added;
  }

  discard(entry) {
    this.#entries.delete(entry.key);
    remove(LOCAL, this.#prefix + entry.key);
    remove(SESSION, this.#prefix + entry.key);
    this.changed();
  }

  /** Sends an entry; returns `{result, isCounted}` or `{problem}`. */
  send(entry) {
    if (!this.#sending.has(entry.key)) {
      this.#sending.set(entry.key, this.#attempt(entry).finally(() => this.#sending.delete(entry.key)));
    }
    return this.#sending.get(entry.key);
  }

  /** Sends everything that waits, until something cannot be sent. */
  async flush() {
    clearTimeout(this.#timer);
    for (const entry of this.entries.filter(({ state }) => state === "waiting")) {
      if ((await this.send(entry)).problem?.isTransient) break;
    }
  }

  async #attempt(entry) {
    let outcome;
    try {
      outcome = await this.#api.send(entry);
      this.#failures = 0;
      this.discard(entry);
    } catch (problem) {
      outcome = { problem };
      this.#keep(entry, problem);
    }
    this.#settled(entry, outcome);
    this.changed();
    return outcome;
  }

  #keep(entry, problem) {
    if (problem.isTransient) {
      entry.state = "waiting";
      const seconds = Math.min(SLOWEST_RETRY, 2 ** ++this.#failures) * (0.75 + Math.random() / 2);
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.flush(), 1000 * Math.max(seconds, problem.retryAfter));
    } else {
      entry.state = "rejected";
      entry.detail = problem.message;
    }
    this.#store(entry);
  }

  #store({ isStored, ...entry }) {
    const { email, ...body } = entry.body ?? {};
    if (email) write(SESSION, this.#prefix + entry.key, email);
    return write(LOCAL, this.#prefix + entry.key, { ...entry, body: entry.body && body });
  }

  #load() {
    const stored = keys(LOCAL, this.#prefix);
    for (const name of stored) {
      const entry = read(LOCAL, name);
      if (entry?.kind && !this.#entries.has(entry.key)) this.#entries.set(entry.key, this.#revived(entry, name));
    }
    for (const [key, entry] of this.#entries) {
      const isElsewhereDone = entry.isStored !== false && !stored.includes(this.#prefix + key);
      if (isElsewhereDone && !this.#sending.has(key)) this.#entries.delete(key);
    }
    this.changed();
  }

  #revived(entry, name) {
    const isPost = entry.kind === "question" || entry.kind === "answer";
    const email = read(SESSION, name);
    if (email) entry.body.email = email;
    if (entry.state === "rejected") return entry;
    const isLate = Date.now() - entry.at > RESEND_TIME;
    entry.state = isLate || (isPost && !email) ? (isPost ? "unfinished" : "late") : "waiting";
    return entry;
  }
}
