/** The dialogs: a question, an answer, a report, photos. */
import { h, icon, ICONS, isWebAddress } from "./dom.js";
// ATELIER_SPAM_HONEYPOT, which the service writes in front of the modules:
import { HONEYPOT } from "./settings.js";
import { MIN_SEARCH } from "./search.js";

const LIMITS = { body: 1000, name: 60, email: 60 };
const MAX_PHOTOS = 5;
const EMAIL = /^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$/;
const SIMILAR_DELAY = 350; // milliseconds
const REASONS = ["advertising", "offensive", "misleading", "personal"];

const length = (text) => Array.from(text.normalize("NFC").trim()).length;
const drafts = new Map(); // what was typed into dialogs that were closed, until the page is left

/** Opens a modal dialog; it is removed when it closes. Escape closes it. */
function openDialog({ t, root }, name, title, ...content) {
  const click = () => dialog.close();
  const head = h("div.dialog-head", h("h2.dialog-title", { id: "dialog-title", dir: "auto" }, title),
    h("button.close", { "aria-label": t("close"), click }, icon(ICONS.close)));
  const dialog = h(`dialog.${name}-dialog`, { "aria-labelledby": "dialog-title", close: () => dialog.remove() }, head, content);
  dialog.part.add("dialog");
  root.append(dialog);
  dialog.showModal();
  return dialog;
}

function buttons({ t }, name, send = h("button.primary", t(name))) {
  send.type = "submit";
  return h("div.buttons", send, h("button", { click: () => send.closest("dialog").close() }, t("cancel")));
}

/** A place for the error of a field or a form. */
function errorPlace(name) {
  const element = h("p.error", { id: `${name}-error` });
  const show = (text) => element.replaceChildren(...(text ? [icon(ICONS.alert), text] : []));
  return { element, show };
}

/** A labelled input with a hint and an error. */
class Field {
  #t;
  #name;
  #error;
  #counter;

  constructor({ t }, name, label, attributes, hint) {
    this.#t = t;
    this.#name = name;
    this.#error = errorPlace(name);
    const isLong = name === "body";
    this.#counter = isLong && h("span.counter");
    this.input = h(isLong ? "textarea.input" : "input.input", { id: name, name, "aria-describedby": `${name}-hint ${name}-error`, dir: "auto",
      required: true, ...attributes, input: () => this.#count() });
    this.element = h("div.field", h("label.label", { for: name }, t(label)), this.input,
      h("div.below", h("p.hint", { id: `${name}-hint` }, hint && t(hint)), this.#counter), this.#error.element);
  }

  get value() {
    return this.input.value.trim();
  }

  set value(text) {
    this.input.value = text;
    this.#count();
  }

  show(error) {
    this.#error.show(error);
    this.input.ariaInvalid = error ? true : null;
  }

  check() {
    const limit = LIMITS[this.#name];
    const isEmail = this.#name !== "email" || EMAIL.test(this.value);
    const error = this.value ? (length(this.value) > limit ? "tooLong" : !isEmail && "invalidEmail") : "required";
    this.show(error && this.#t(error, { limit }));
  }

  #count() {
    if (!this.#counter) return;
    const n = length(this.value);
    this.#counter.textContent = this.#t("counter", { n, limit: LIMITS.body });
    this.#counter.classList.toggle("over", n > LIMITS.body);
  }
}

/** Up to five addresses of photos, each with a picture of it. */
class PhotoFields {
  #t;
  #rows = h("div.photo-rows");
  #add;
  #error = errorPlace("photos");

  constructor({ t }) {
    this.#t = t;
    this.#add = h("button.link", { click: () => this.#addRow("").focus() }, t("photoAdd"));
    this.element = h("fieldset", h("legend.label", t("photosField")), h("p.hint", { id: "photos-hint" }, t("photosHint")),
      this.#rows, this.#error.element, this.#add);
  }

  get #inputs() {
    return [...this.#rows.querySelectorAll("input")];
  }

  get value() {
    return this.#inputs.map(({ value }) => value.trim()).filter(Boolean);
  }

  set value(urls) {
    for (const url of urls.length ? urls : [""]) this.#addRow(url);
  }

  /** The first input with an invalid address, else the first. */
  get input() {
    return this.#inputs.find(({ ariaInvalid }) => ariaInvalid) ?? this.#inputs[0];
  }

  show(error) {
    this.#error.show(error);
    for (const input of this.#inputs) input.ariaInvalid = input.value.trim() && !isWebAddress(input.value.trim()) ? true : null;
  }

  check() {
    this.show(!this.value.every(isWebAddress) && this.#t("invalidPhoto"));
  }

  #addRow(url) {
    const n = this.#inputs.length + 1;
    const preview = h("span.preview", { "aria-live": "polite" });
    const label = this.#t("photoField", { n });
    const input = h("input.input", { type: "url", dir: "ltr", placeholder: "https://", "aria-label": label,
      "aria-describedby": "photos-hint photos-error", change: () => this.#preview(preview, input.value.trim(), label) });
    input.value = url;
    this.#rows.append(h("div.photo-row", input, preview));
    this.#add.hidden = n >= MAX_PHOTOS;
    if (url) this.#preview(preview, url, label);
    return input;
  }

  #preview(place, src, alt) {
    this.check();
    const error = () => image.isConnected && place.replaceChildren(this.#t("photoBroken"));
    const image = isWebAddress(src) ? h("img", { src, alt, referrerpolicy: "no-referrer", error }) : "";
    place.replaceChildren(image);
  }
}

/** Shows the questions that are there already, while somebody types one. */
function similar({ t, api }, input) {
  const list = h("ul", { role: "list" });
  const box = h("div.similar", { hidden: true }, h("p.similar-title", t("similar")), list);
  const status = h("p.hidden", { role: "status" });
  let timer;
  let stop = new AbortController();
  const look = async () => {
    stop.abort();
    stop = new AbortController();
    const found = length(input.value) < MIN_SEARCH ? [] : (await api.similar(input.value.trim(), stop.signal)).results;
    list.replaceChildren(...found.map(({ body, answers: [answer] }) => h("li", h("p.similar-question", { dir: "auto" }, body),
      answer && h("p.similar-answer", { dir: "auto" }, answer.body))));
    box.hidden = !found.length;
    status.textContent = found.length ? t("similarFound", { n: found.length }) : "";
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => look().catch(() => {}), SIMILAR_DELAY); // a help only: it may fail
  });
  return [box, status];
}

/** Splits the service's text on invalid fields, `body: …; name: …`, into a text for each field. */
function errorsByField({ message }) {
  const parts = message.split(/; (?=(?:body|name|email|photos): )/).map((part) => /^(body|name|email|photos): (.*)$/s.exec(part));
  return parts.filter(Boolean).map(([, name, text]) => [name, text]);
}

/**
 * Opens the form of a question or an answer (`kind`); `about` is the question to answer.
 * `unfinished` is an entry of the outbox, which is sent anew.
 */
export function openForm(widget, kind, about, unfinished) {
  const { t, api, productName } = widget;
  const place = `${api.product} ${kind} ${about?.id}`;
  const draft = unfinished?.body ?? drafts.get(place) ?? {};
  const fields = {
    body: new Field(widget, "body", `${kind}Field`, { rows: 4 }),
    name: new Field(widget, "name", "nameField", { autocomplete: "nickname", placeholder: t("namePlaceholder") }, "nameHint"),
    email: new Field(widget, "email", "emailField",
      { type: "email", autocomplete: "email", placeholder: t("emailPlaceholder"), dir: "ltr" }, "emailHint"),
    ...(kind === "answer" && { photos: new PhotoFields(widget) }),
  };
  const all = Object.values(fields);
  const trap = h("input.hidden", { name: HONEYPOT, tabindex: -1, "aria-hidden": "true" });
  const failure = errorPlace("form");
  failure.element.role = "alert";
  const send = h("button.primary", t(`${kind}Send`));
  const [body, ...others] = all.map(({ element }) => element);
  const dialog = openDialog(widget, "form", t(`${kind}Title`), h("form", { novalidate: true, submit },
    about?.body ? h("p.about", { dir: "auto" }, about.body) : productName && h("p.about", t("askAbout", { product: productName })),
    body, kind === "question" && similar(widget, fields.body.input), others, HONEYPOT && trap,
    h("p.hint", t("kept")), failure.element, buttons(widget, "", send)));
  for (const [name, field] of Object.entries(fields)) field.value = draft[name] ?? "";
  const values = () => Object.fromEntries(Object.entries(fields).map(([name, { value }]) => [name, value]));
  const focusError = () => all.find(({ input }) => input.ariaInvalid)?.input.focus();
  drafts.delete(place);
  let isDone = false;
  dialog.addEventListener("close", () => isDone || drafts.set(place, values()));
  fields.body.input.focus();

  async function submit(event) {
    event.preventDefault();
    if (send.ariaBusy === "true") return;
    failure.show();
    for (const field of all) field.check();
    if (all.some(({ input }) => input.ariaInvalid)) return focusError();
    send.ariaBusy = true;
    send.textContent = t("sending");
    const { problem } = await widget.post(kind, about?.id, { ...values(), ...(trap.value && { [HONEYPOT]: trap.value }) }, unfinished);
    send.ariaBusy = false;
    send.textContent = t(`${kind}Send`);
    isDone = !problem || problem.isTransient; // what waits is in the outbox
    if (isDone) return dialog.close();
    const errors = errorsByField(problem);
    for (const [name, error] of errors) fields[name]?.show(error);
    if (!errors.length) failure.show(problem.message);
    focusError();
  }
}

/** Opens the dialog that asks for the reason of a report, and calls `send(reason)`. */
export function openReport(widget, text, send) {
  const { t } = widget;
  const choices = REASONS.map((value, index) =>
    h("label.choice", h("input", { type: "radio", name: "reason", value, checked: !index }), t(value)));
  const submit = (event) => {
    event.preventDefault();
    dialog.close();
    send(new FormData(event.target).get("reason"));
  };
  const dialog = openDialog(widget, "report", t("report"), h("form", { submit }, h("p.about", { dir: "auto" }, text),
    h("fieldset", h("legend.label", t("reportWhy")), choices), buttons(widget, "reportSend")));
}

/** Opens the photos of an answer, `[src, alt]` each, at one of them; a click beside them closes them. */
export function openPhotos(widget, photos, place) {
  const { t } = widget;
  const images = photos.map(([src, alt]) => h("img.large-photo", { src, alt, referrerpolicy: "no-referrer" }));
  const strip = h("div.strip", { tabindex: 0, role: "group", "aria-labelledby": "dialog-title" }, images);
  const step = (name, by) => h("button", { click: () => show(Math.round(Math.abs(strip.scrollLeft) / strip.clientWidth) + by) }, t(name));
  const show = (index) => images.at(index % images.length).scrollIntoView(); // after the last one the first
  const dialog = openDialog(widget, "photo", t("photosField"), strip, images[1] && h("div.buttons", step("previous", -1), step("next", 1)));
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  strip.focus();
  show(place);
}
