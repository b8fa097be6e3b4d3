/** Requests to /v1 of the service that this script comes from. */

const TIMEOUT = 20_000; // milliseconds
const TRANSIENT = new Set([0, 408, 425, 429]);

/** Why a request failed: its status (0 without a response), and the service's own words. */
export class Problem extends Error {
  constructor(status, content, retryAfter) {
    super((content?.detail ?? "").replace(/^[a-z](?!\w*:)/, (letter) => letter.toUpperCase())); // a sentence, if not of a field
    this.status = status;
    this.retryAfter = retryAfter || 0; // seconds
  }

  /** Whether the same request may succeed later. */
  get isTransient() {
    return TRANSIENT.has(this.status) || this.status >= 500;
  }
}

export class Api {
  constructor(base, product, language) {
    this.base = base;
    this.product = product;
    this.language = language;
  }

  /** Returns a page of the product's questions, or of those that match `q`. */
  questions(parameters, signal) {
    return this.#get(`${this.#ofProduct}/questions`, parameters, signal);
  }

  /** Returns how many questions and answers there are. */
  summary() {
    return this.#get(`${this.#ofProduct}/summary`);
  }

  similar(text, signal) {
    return this.#get(`${this.#ofProduct}/similar`, { text, limit: 3, answers: 1 }, signal);
  }

  answers(question, after, signal) {
    return this.#get(`questions/${question}/answers`, { limit: 100, after }, signal);
  }

  /** Sends a vote, a report or a post; returns the response, and whether a vote counted. */
  async send({ kind, target, id, body, key }) {
    const [method, path] = {
      vote: ["PUT", `${target}/${id}/vote`],
      report: ["POST", `${target}/${id}/reports`],
      question: ["POST", `${this.#ofProduct}/questions`],
      answer: ["POST", `questions/${id}/answers`],
    }[kind];
    const headers = { "Idempotency-Key": key };
    if (body) headers["Content-Type"] = "application/json";
    const options = { method, headers, body: body && JSON.stringify(body), keepalive: true };
    const [result, response] = await this.#request(path, options);
    return { result, isCounted: response.headers.get("Vote-Counted") !== "false" };
  }

  get #ofProduct() {
    return `products/${encodeURIComponent(this.product)}`;
  }

  async #get(path, parameters = {}, signal) {
    const given = Object.entries(parameters).filter(([, value]) => value != null);
    const [result] = await this.#request(`${path}?${new URLSearchParams(given)}`, {}, signal);
    return result;
  }

  async #request(path, options, signal) {
    const timeout = AbortSignal.timeout(TIMEOUT);
    let response, content;
    try {
      response = await fetch(new URL(`v1/${path}`, this.base), {
        ...options,
        headers: { ...options.headers, "Accept-Language": this.language },
        // The cookie of ATELIER_VOTE_ONCE=cookie, on the service's own origin; never elsewhere.
        credentials: "same-origin",
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      content = await response.json();
    } catch (error) {
      signal?.throwIfAborted();
      if (!response || response.ok) throw new Problem(0);
    }
    if (!response.ok) {
      throw new Problem(response.status, content, Number(response.headers.get("Retry-After")));
    }
    return [content, response];
  }
}
