/** What the person should know: what is not sent yet, what was not accepted, what was done. */
import { openForm } from "./dialogs.js";
import { h, icon, ICONS } from "./dom.js";

export class Notices {
  #widget;
  #outbox;
  #message = h("div", { role: "status" });
  #waiting = h("div", { role: "status" });
  #posts = h("div");

  constructor(widget, outbox) {
    this.#widget = widget;
    this.#outbox = outbox;
    this.element = h("div.notices", this.#message, this.#waiting, this.#posts);
  }

  /** Shows a message until it is closed or another one comes; `kind` is "bad" or "good". */
  tell(text, kind = "bad") {
    const click = () => this.#message.replaceChildren();
    const close = h("button.close", { "aria-label": this.#widget.t("close"), click }, icon(ICONS.close));
    this.#message.replaceChildren(this.#notice(kind, [text], close));
  }

  /** Shows what is in the outbox. */
  show() {
    const votes = this.#outbox.entries.filter(({ target, state }) => target && state === "waiting");
    const posts = this.#outbox.entries.filter(({ target, state, isOpen }) => !target && state !== "new" && !(isOpen && state === "rejected"));
    for (const entry of this.#outbox.entries.filter(({ state }) => state === "late")) {
      this.#outbox.discard(entry);
      this.tell(this.#widget.t("late"));
    }
    this.#waiting.replaceChildren(...(votes.length ? [this.#votes(votes.length)] : []));
    this.#posts.replaceChildren(...posts.map((entry) => this.#post(entry)));
  }

  #votes(n) {
    return this.#notice("waiting", [this.#widget.t("waitingVotes", { n })], this.#sendNow());
  }

  #post(entry) {
    const { state, body, detail, isStored } = entry;
    const isWaiting = state === "waiting";
    const name = isWaiting && isStored === false ? "unkept" : state;
    const edit = () => openForm(this.#widget, entry.kind, { id: entry.id }, entry);
    return this.#notice(isWaiting ? "waiting" : "bad",
      [h("p", this.#widget.t(name, { detail })), h("p.quoted", { dir: "auto" }, body.body)],
      isWaiting ? this.#sendNow() : this.#button("edit", edit), this.#button("discard", () => this.#outbox.discard(entry)));
  }

  #sendNow() {
    return this.#button("sendNow", () => this.#outbox.flush());
  }

  #button(name, click) {
    return h("button.link", { click }, this.#widget.t(name));
  }

  #notice(kind, content, ...buttons) {
    return h(`div.notice.${kind}`, h("div.notice-text", content), h("div.notice-buttons", buttons));
  }
}
