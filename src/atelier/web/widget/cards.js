/** Questions and answers as elements. */
import { h, icon, ICONS, isWebAddress, marked, rangesIn } from "./dom.js";

let ids = 0;

/** Returns a text of a shopper: never HTML, and its direction does not affect what is around it. */
function written(name, text, match) {
  return h(name, { dir: "auto", id: `text-${++ids}` }, marked(text, match && rangesIn(text, match)));
}

/** Returns who wrote something, and when. */
function byline({ t, texts }, { author, created_at: date, is_seller: isSeller, isNew, isHeld }) {
  const name = isSeller ? h("strong.seller", t("seller")) : h("bdi.author", author);
  return h("span.byline", h("span", texts.nodes("by", { author: name })), h("time", { datetime: date }, texts.date(date)),
    isNew && h("span.badge", t(isHeld ? "held" : "isNew")));
}

/** Returns the photos of an answer as buttons that open them. */
function photos({ t, openPhotos }, { photos: all, author }) {
  const shown = all.map(({ url }) => url).filter(isWebAddress).map((src, index) => [src, t("photoOf", { n: index + 1, author })]);
  const buttons = shown.map(([src, alt], index) => {
    const image = h("img", { src, alt, loading: "lazy", referrerpolicy: "no-referrer" });
    return h("li", h("button.photo", { click: () => openPhotos(shown, index) }, image));
  });
  return buttons.length > 0 && h("ul.photos", { role: "list" }, buttons);
}

/** What can be done with a question or an answer: a vote and a report. */
class Actions {
  #widget;
  #target;
  #item;
  #buttons;
  #count = h("span.count");
  #hint = h("span.hint");

  constructor(widget, target, item, text) {
    const { t } = widget;
    this.#widget = widget;
    this.#target = target;
    this.#item = item;
    const button = (name, act, ...content) => h(`button.quiet.${name}`, { "aria-describedby": text.id,
      click: ({ currentTarget }) => currentTarget.ariaDisabled !== "true" && act(target, item) }, content);
    this.#buttons = {
      vote: button("vote", widget.vote, icon(ICONS.thumb), h("span", t("yes")), this.#count),
      report: button("report", widget.openReport),
    };
    this.element = h("p.actions", h("span.question-helpful", t("helpful")), this.#buttons.vote, this.#hint, this.#buttons.report);
    this.refresh();
  }

  /** Shows the number of votes and what this browser has done. */
  refresh() {
    const { t, texts, done, isWaiting } = this.#widget;
    const { id, helpful, isHeld } = this.#item;
    let hint = "";
    for (const [kind, button] of Object.entries(this.#buttons)) {
      const isDone = done.has(`${kind}:${this.#target}:${id}`);
      const waits = isWaiting(kind, this.#target, id);
      button.ariaPressed = isDone;
      button.ariaDisabled = isDone || waits;
      if (kind === "report") button.textContent = t(isDone ? "reported" : "report");
      if (waits) hint = t("voteWaiting");
    }
    this.element.hidden = isHeld;
    this.#count.textContent = `(${texts.number(helpful)})`;
    this.#hint.textContent = hint;
  }
}

/** Returns the element of an answer. */
function answerCard(widget, answer, match) {
  const text = written("p.answer-text", answer.body, match);
  const actions = new Actions(widget, "answers", answer, text);
  widget.register("answers", answer, actions);
  return h(answer.is_seller ? "li.answer.seller-answer" : "li.answer", { tabindex: -1 }, text, photos(widget, answer),
    h("div.foot", byline(widget, answer), actions.element));
}

export class QuestionCard {
  #widget;
  #question;
  #matches;
  #answers;
  #next; // the cursor of answers that are not loaded; undefined: of the first
  #isExpanded = false;
  #cards = new Map();
  #list = h("ul.answers", { role: "list" });
  #excerpts = h("div");
  #more;
  #fold;
  #heading;

  constructor(widget, question) {
    const { t } = widget;
    this.#widget = widget;
    this.#question = question;
    this.#matches = question.matches ?? [];
    this.#answers = question.answers;
    const text = written("h3.question-text", question.body, this.#matches.find(({ part }) => part === "question"));
    text.tabIndex = -1;
    const button = (style, name, click) => h(`button.${style}`, { "aria-describedby": text.id, click }, t(name));
    const actions = new Actions(widget, "questions", question, text);
    const answer = button("link.answer-button", "answer", () => widget.openAnswer(question));
    answer.hidden = question.isHeld;
    this.#more = button("link", "moreAnswers", () => this.#expand());
    this.#fold = button("link", "collapse", () => this.#collapse());
    this.#heading = text;
    this.element = h("li.question", text, h("div.foot", byline(widget, question), actions.element),
      this.#list, this.#excerpts, h("p.unfold", this.#more, this.#fold, answer));
    widget.register("questions", question, actions, this);
    this.#show();
  }

  focus() {
    this.#heading.focus();
  }

  /** Shows an answer that was just written, before all others. */
  add(answer) {
    const others = this.#answers.filter(({ id }) => id !== answer.id); // a repeated post may be there already
    if (others.length === this.#answers.length) this.#question.answer_count += 1;
    this.#answers = [answer, ...others];
    this.#show();
  }

  /** How many answers are shown before all are: some, and those just written. */
  get #first() {
    return this.#widget.answersShown + this.#answers.filter(({ isNew }) => isNew).length;
  }

  async #expand() {
    const shown = this.#list.children.length;
    try {
      if (this.#answers.length < this.#question.answer_count && this.#next !== null) await this.#load();
    } catch (problem) {
      return this.#widget.failed(problem, "loadFailed");
    }
    this.#isExpanded = true;
    this.#show();
    this.#list.children[shown]?.focus();
  }

  #collapse() {
    this.#isExpanded = false;
    this.#show();
    this.#more.focus();
  }

  async #load() {
    const page = await this.#widget.api.answers(this.#question.id, this.#next);
    this.#next = page.next;
    const known = new Set(this.#answers.map(({ id }) => id));
    this.#answers.push(...page.results.filter(({ id }) => !known.has(id)));
  }

  #show() {
    const shown = this.#isExpanded ? this.#answers : this.#answers.slice(0, this.#first);
    this.#list.replaceChildren(...shown.map((answer) => this.#card(answer)));
    this.#list.hidden = !shown.length;
    this.#showExcerpts(shown.map(({ id }) => id));
    this.#more.hidden = shown.length >= this.#question.answer_count || (this.#isExpanded && this.#next === null);
    this.#fold.hidden = !this.#isExpanded || shown.length <= this.#first;
  }

  #card(answer) {
    if (!this.#cards.has(answer.id)) {
      const match = this.#matches.find((each) => each.answer_id === answer.id);
      this.#cards.set(answer.id, answerCard(this.#widget, answer, match));
    }
    return this.#cards.get(answer.id);
  }

  /** Shows what a search found in answers that are not shown. */
  #showExcerpts(shown) {
    const others = this.#matches.filter(({ answer_id: id }) => id && !shown.includes(id));
    this.#excerpts.replaceChildren(...others.map(({ snippet, ranges }) =>
      h("p.excerpt", h("span.muted", this.#widget.t("inAnswer"), " "), h("bdi", marked(snippet, ranges)))));
  }
}
