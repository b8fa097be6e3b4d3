/** The texts in the reader's language, with numbers, plurals and dates. */
import english from "./texts-en.js";

const OTHERS = {
  ar: () => import("./texts-ar.js"),
  de: () => import("./texts-de.js"),
};
const RIGHT_TO_LEFT = /^(ar|dv|fa|he|ps|ug|ur|yi)$/;

const base = (language) => language.toLowerCase().split(/[-_]/)[0];
const isKnown = (language) => base(language) === "en" || Object.hasOwn(OTHERS, base(language));

/** Returns the languages that the page asks for, then those of the browser. */
function wanted(element) {
  for (let node = element; node; node = node.parentNode ?? node.host) {
    if (node.lang) return [node.lang, ...navigator.languages];
  }
  return navigator.languages;
}

/** Loads the texts for an element; `texts` is the address of a JSON file with a translation. */
export async function loadTexts(element) {
  const languages = wanted(element);
  const address = element.getAttribute("texts");
  const language = address ? languages[0] : (languages.find(isKnown) ?? "en");
  const others = OTHERS[base(language)];
  const [texts, own] = await Promise.all([
    others ? others().then((module) => module.default) : {},
    address ? fetch(address).then((response) => response.json()) : {},
  ].map((each) => Promise.resolve(each).catch(() => ({})))); // English is better than nothing
  return new Texts(language, { ...english, ...texts, ...own });
}

export class Texts {
  #texts;
  #plurals;
  #numbers;
  #dates;

  constructor(language, texts) {
    // For numbers and dates the reader's own form of the language, such as en-GB, if there is one.
    const locale = navigator.languages.find((each) => base(each) === base(language)) ?? base(language);
    this.language = language;
    this.direction = RIGHT_TO_LEFT.test(base(language)) ? "rtl" : "ltr";
    this.#texts = texts;
    this.#plurals = new Intl.PluralRules(locale);
    this.#numbers = new Intl.NumberFormat(locale);
    this.#dates = new Intl.DateTimeFormat(locale, { dateStyle: "long" });
  }

  /** Returns a text with its values filled in, as a list of texts and the nodes among the values; `n` chooses the plural. */
  nodes(name, values = {}) {
    const text = this.#texts[name] ?? name;
    const form = typeof text === "string" ? text : (text[this.#plurals.select(values.n)] ?? text.other);
    return form.split(/\{(\w+)\}/).map((part, index) => {
      const value = index % 2 ? values[part] : part;
      return typeof value === "number" ? this.number(value) : value;
    });
  }

  number(value) {
    return this.#numbers.format(value);
  }

  date(time) {
    return this.#dates.format(new Date(time));
  }
}
