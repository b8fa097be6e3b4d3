/** The search: it filters while somebody types, from three characters. */
import { h, icon, ICONS } from "./dom.js";
import { QuestionList } from "./list.js";

export const MIN_SEARCH = 3;
const RESULTS = 10; // a page
const SEARCH_DELAY = 200; // milliseconds

export class Search {
  #widget;
  #changed;
  #stop = new AbortController();
  #timer;
  #input;
  #status = h("p.search-status.muted", { role: "status" });

  /** `changed()` is called when `list`, the results, has changed; null: nothing is searched. */
  constructor(widget, changed) {
    const { t } = widget;
    this.#widget = widget;
    this.#changed = changed;
    this.list = null;
    this.results = h("div");
    this.#input = h("input.search-input", { type: "search", placeholder: t("search"), "aria-label": t("search"), "aria-describedby": "search-hint",
      maxlength: 200, autocomplete: "off", dir: "auto", input: () => this.#plan() });
    this.element = h("div.search", { role: "search" }, h("div.search-box", icon(ICONS.search), this.#input),
      h("p.hidden", { id: "search-hint" }, t("searchHint")), this.#status);
  }

  /** Ends the search; `text` stays in the field. */
  end(text = "") {
    this.#stop.abort();
    clearTimeout(this.#timer);
    this.#input.value = text;
    this.#show(null, text.trim() && "searchHint");
  }

  get #words() {
    const text = this.#input.value.trim();
    return Array.from(text).length >= MIN_SEARCH && text;
  }

  #plan() {
    clearTimeout(this.#timer);
    if (!this.#words) return this.end(this.#input.value);
    this.#timer = setTimeout(() => this.#run(this.#words), SEARCH_DELAY);
  }

  async #run(q) {
    this.#stop.abort();
    const { signal } = (this.#stop = new AbortController());
    const list = new QuestionList(this.#widget, (page) => this.#widget.api.questions({ ...page, q }, signal), RESULTS, RESULTS);
    try {
      const { added: n } = await list.more();
      if (!signal.aborted) this.#show(list, list.hasMore ? "foundMany" : n ? "found" : "foundNothing", n);
    } catch (problem) {
      if (signal.aborted) return;
      const retry = h("button.link", { click: () => this.#run(q) }, this.#widget.t("retry"));
      this.#status.replaceChildren(this.#widget.t("loadFailed"), ` ${problem.message} `, retry);
    }
  }

  #show(list, status, n) {
    this.list = list;
    this.results.replaceChildren(...(list ? [list.element] : []));
    this.#status.textContent = status ? this.#widget.t(status, { n }) : "";
    this.#changed();
  }
}
