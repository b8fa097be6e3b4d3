/** A list of questions that grows: of the product, or of a search. */
import { QuestionCard } from "./cards.js";
import { h, pause } from "./dom.js";

const CHUNK = 8; // cards that are built without a pause

export class QuestionList {
  #widget;
  #load;
  #sizes;
  #next;
  #cards = new Map();

  /** `load({limit, after})` returns a page; the first has `first` questions, the others `step`. */
  constructor(widget, load, first, step) {
    this.#widget = widget;
    this.#load = load;
    this.#sizes = [first, step];
    this.element = h("ul.questions", { role: "list" });
  }

  get hasMore() {
    return this.#next != null;
  }

  get isEmpty() {
    return this.#cards.size === 0;
  }

  /** Loads and shows the next page; returns the page, and the first card that is new. */
  async more() {
    const limit = this.#sizes[this.#next ? 1 : 0];
    const page = await this.#load({ limit, after: this.#next, answers: this.#widget.answersShown });
    this.#next = page.next;
    const fresh = page.results.filter(({ id }) => !this.#cards.has(id));
    for (let index = 0; index < fresh.length; index += CHUNK) {
      if (index) await pause();
      const cards = fresh.slice(index, index + CHUNK).map((question) => this.#card(question).element);
      this.element.append(...cards);
    }
    return { page, first: this.#cards.get(fresh[0]?.id), added: fresh.length };
  }

  /** Shows a question that was just asked, before all others. */
  add(question) {
    this.#cards.get(question.id)?.element.remove(); // a repeated post may be there already
    this.element.prepend(this.#card(question).element);
  }

  #card(question) {
    const card = new QuestionCard(this.#widget, question);
    this.#cards.set(question.id, card);
    return card;
  }
}
