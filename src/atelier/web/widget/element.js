/** <atelier-questions product-id="1">: the questions and answers of a product (docs/widget.md). */
import { Api } from "./api.js";
import { openForm, openPhotos, openReport } from "./dialogs.js";
import { h, icon, ICONS } from "./dom.js";
import { QuestionList } from "./list.js";
import { Notices } from "./notices.js";
import { Outbox } from "./outbox.js";
import { Search } from "./search.js";
import { Done } from "./storage.js";
import { loadTexts } from "./texts.js";
import css from "./widget.css";

const SERVICE = new URL("../../", import.meta.url); // above /widget/VERSION/
const MAX_PAGE = 100;

class AtelierQuestions extends HTMLElement {
  static observedAttributes = ["product-id", "product-name", "lang", "texts", "questions", "more", "answers"];

  #shadow = this.attachShadow({ mode: "open" });
  #stop = new AbortController();
  #isPlanned = false;
  #live = h("p.hidden", { role: "status" });
  #items = new Map(); // the elements of each question and answer
  #isLoaded;
  #totals;
  #state;
  #moreButton;
  #list;
  #search;
  #notices;
  #outbox;

  constructor() {
    super();
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    this.#shadow.adoptedStyleSheets = [sheet];
    this.#shadow.append(h("slot")); // what the server rendered, until there is more
  }

  connectedCallback() {
    this.reload();
  }

  disconnectedCallback() {
    this.#stop.abort();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.reload();
  }

  /** Loads everything again. */
  reload() {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    queueMicrotask(() => {
      this.#isPlanned = false;
      this.#stop.abort();
      if (this.isConnected) this.#start();
    });
  }

  // What the parts of the widget use of it:

  get productName() {
    return this.getAttribute("product-name");
  }

  get answersShown() {
    return this.#number("answers", 2);
  }

  t = (name, values) => this.texts.nodes(name, values).join("");

  isWaiting = (kind, target, id) =>
    this.#outbox.entries.some((each) => each.kind === kind && each.target === target && each.id === id && each.state === "waiting");

  openPhotos = (...all) => openPhotos(this, ...all);

  openReport = (target, item) => openReport(this, item.body, (reason) => this.#send("report", target, item.id, { reason }));

  vote = (target, item) => this.#send("vote", target, item.id);

  openAnswer(question) {
    openForm(this, "answer", question);
  }

  failed({ message }, name) {
    this.#notices.tell(this.t(name, { detail: message }));
  }

  /** Remembers the elements of a question or answer; a search may show it once more. */
  register(target, item, actions, card) {
    const name = `${target}:${item.id}`;
    this.#items.set(name, [...this.#shown(target, item.id), { item, actions, card }]);
  }

  /** Sends a question or an answer; returns `{problem}` if it was not accepted. */
  async post(kind, id, body, unfinished) {
    const entry = this.#outbox.add({ kind, id, body, isOpen: true, ...sameKey(unfinished, body) });
    const outcome = await this.#outbox.send(entry);
    if (!outcome.problem || outcome.problem.isTransient) entry.isOpen = false;
    else this.#outbox.discard(entry);
    if (!entry.isOpen && unfinished && unfinished.key !== entry.key) this.#outbox.discard(unfinished);
    this.#notices.show();
    return outcome;
  }

  #number(name, otherwise) {
    const value = Number.parseInt(this.getAttribute(name), 10);
    return value >= 0 ? Math.min(value, MAX_PAGE) : otherwise;
  }

  async #start() {
    const { signal } = (this.#stop = new AbortController());
    this.texts = await loadTexts(this);
    if (signal.aborted) return;
    this.#items.clear();
    this.#isLoaded = false;
    this.api = new Api(SERVICE, this.getAttribute("product-id"), this.texts.language);
    const scope = `atelier:${SERVICE.host}${SERVICE.pathname}:${this.api.product}`;
    this.done = new Done(scope);
    this.#outbox = new Outbox(this.api, scope, (...all) => this.#settled(...all), () => this.#notices.show());
    this.#notices = new Notices(this, this.#outbox);
    this.#search = new Search(this, () => this.#showLists());
    this.#list = new QuestionList(this, (page) => this.api.questions(page, signal), this.#number("questions", 4) || 1, this.#number("more", 10) || 1);
    this.#render();
    this.#outbox.open(signal);
    await this.#loadFirst(signal);
  }

  #render() {
    const { t, texts } = this;
    this.#totals = h("p.totals");
    this.#state = h("div.state");
    this.#moreButton = h("button.more", { hidden: true, click: () => this.#more() }, t("more"));
    this.root = h("section.root", { lang: texts.language, dir: texts.direction, "aria-labelledby": "heading" },
      h("header.header", h("div", h("h2.heading", { id: "heading" }, t("heading")), this.#totals),
        h("button.primary", { click: () => openForm(this, "question") }, t("ask"))),
      this.#search.element, this.#notices.element, h("slot"), this.#state,
      h("div.lists", this.#search.results, this.#list.element, this.#moreButton), this.#live);
    this.#shadow.replaceChildren(this.root);
  }

  async #loadFirst(signal) {
    const skeleton = () => h("div.skeleton", h("span"), h("span"), h("span"));
    const isKept = this.childNodes.length; // the server's content stays until the questions are there
    this.root.ariaBusy = true;
    this.#search.element.hidden = true;
    this.#state.replaceChildren(h("p.hidden", { role: "status" }, this.t("loading")), ...(isKept ? [] : [skeleton(), skeleton(), skeleton()]));
    try {
      const { page } = await this.#list.more();
      if (signal.aborted) return;
      this.replaceChildren();
      this.#count(page.totals);
      this.#isLoaded = true;
      this.#showLists();
    } catch ({ message }) {
      if (signal.aborted) return;
      this.#state.replaceChildren(h("div.message", { role: "alert" }, icon(ICONS.alert), h("p", this.t("loadFailed")), h("p.muted", message),
        h("button", { click: () => this.#loadFirst(signal) }, this.t("retry"))));
    }
    this.root.ariaBusy = false;
  }

  #count({ questions, answers }) {
    this.#totals.hidden = !questions;
    this.#totals.textContent = `${this.t("questions", { n: questions })} · ${this.t("answers", { n: answers })}`;
  }

  /** Shows the search's results or the product's questions. */
  #showLists() {
    const list = this.#search.list ?? this.#list;
    const isEmpty = !this.#search.list && this.#list.isEmpty;
    this.#list.element.hidden = list !== this.#list;
    this.#moreButton.hidden = !list.hasMore;
    this.#search.element.hidden = isEmpty;
    this.#state.replaceChildren(...(isEmpty ? [h("div.message", h("strong", this.t("empty")), h("p.muted", this.t("emptyHint")))] : []));
  }

  async #more() {
    const list = this.#search.list ?? this.#list;
    if (this.#moreButton.ariaBusy === "true") return;
    this.#moreButton.ariaBusy = true;
    try {
      (await list.more()).first?.focus();
    } catch (problem) {
      this.failed(problem, "loadFailed");
    }
    this.#moreButton.ariaBusy = false;
    this.#showLists();
  }

  /** Tells a screen reader. */
  #announce(name) {
    this.#live.textContent = "";
    setTimeout(() => (this.#live.textContent = this.t(name)), 50); // a change, even to the same text
  }

  /** Sends a vote or a report. */
  #send(kind, target, id, body) {
    const votes = kind === "vote" ? 1 : 0;
    this.done.set(`${kind}:${target}:${id}`, true);
    this.#change(target, id, votes);
    this.#outbox.send(this.#outbox.add({ kind, target, id, body, votes }));
  }

  /** Shows what became of something that was sent. */
  #settled(entry, { result, isCounted, problem }) {
    const { kind, target, id } = entry;
    if (problem) return target && this.#unsent(entry, problem);
    if (kind === "question") return this.#posted(result, "asked", [this.#list]);
    if (kind === "answer") return this.#posted(result, "answered", this.#shown("questions", id).map(({ card }) => card));
    this.done.set(`${kind}:${target}:${id}`, true);
    if (kind === "report") this.#notices.tell(this.t("reportSent"), "good");
    else this.#voted(target, result, isCounted);
    return this.#change(target, id, 0);
  }

  #voted(target, { id, helpful }, isCounted) {
    for (const { item } of this.#shown(target, id)) item.helpful = helpful;
    this.#announce(isCounted ? "voted" : "votedBefore");
    this.#tell("voted", { target: target.slice(0, -1), id, helpful, isCounted });
  }

  /** Shows what was just published, or waits for review, where it belongs. */
  #posted(post, event, places) {
    const isQuestion = event === "asked";
    const isHeld = post.status === "held";
    delete post.status_url; // with it, anybody could see a post that is held
    if (isQuestion) this.#search.end();
    for (const place of places) place.add({ ...post, isNew: true, isHeld });
    if (this.#isLoaded) this.#showLists();
    this.api.summary().then((totals) => this.#count(totals)).catch(() => {}); // less important
    this.#notices.tell(this.t(isHeld ? "heldHint" : `${event}Done`), "good");
    this.#tell(event, { [isQuestion ? "question" : "answer"]: post });
  }

  /** Puts back what was shown of a vote or report that was not sent, or not accepted. */
  #unsent(entry, problem) {
    const { kind, target, id, votes } = entry;
    entry.votes = 0;
    this.done.set(`${kind}:${target}:${id}`, false);
    if (!problem.isTransient) {
      this.#outbox.discard(entry);
      this.failed(problem, `${kind}Failed`);
    }
    this.#change(target, id, -votes);
  }

  #shown(target, id) {
    return this.#items.get(`${target}:${id}`) ?? [];
  }

  #change(target, id, votes) {
    for (const { item, actions } of this.#shown(target, id)) {
      item.helpful += votes;
      actions.refresh();
    }
  }

  #tell(name, detail) {
    const event = { bubbles: true, composed: true, detail: { productId: this.api.product, ...detail } };
    this.dispatchEvent(new CustomEvent(`atelier:${name}`, event));
  }
}

/** An unfinished post that was not changed keeps its key: it may have been published already. */
function sameKey(unfinished, body) {
  const content = ({ email: _, ...others } = {}) => JSON.stringify(others);
  const isSame = unfinished?.state === "unfinished" && content(unfinished.body) === content(body);
  return isSame ? { key: unfinished.key, at: unfinished.at } : {};
}

if (!customElements.get("atelier-questions")) customElements.define("atelier-questions", AtelierQuestions);
