/** What a page keeps in the browser. Where storage is blocked or full, the functions do nothing. */

export const LOCAL = "localStorage";
export const SESSION = "sessionStorage";

function attempt(action, otherwise) {
  try {
    return action();
  } catch {
    return otherwise;
  }
}

/** Returns the value of a key, or undefined. */
export function read(area, key) {
  return attempt(() => JSON.parse(globalThis[area].getItem(key)) ?? undefined);
}

/** Stores a value; returns whether it is stored. */
export function write(area, key, value) {
  return attempt(() => {
    globalThis[area].setItem(key, JSON.stringify(value));
    return true;
  }, false);
}

export function remove(area, key) {
  attempt(() => globalThis[area].removeItem(key));
}

/** Returns the keys that begin with a text. */
export function keys(area, prefix) {
  return attempt(() => Object.keys(globalThis[area]).filter((key) => key.startsWith(prefix)), []);
}

const MAX_DONE = 1000; // names that are kept

/** What this browser has voted for or reported on one product: names, the newest last. */
export class Done {
  #key;
  #names;

  constructor(scope) {
    this.#key = `${scope}:done`;
    this.#names = new Set(this.#stored());
  }

  has(name) {
    return this.#names.has(name);
  }

  /** Remembers a name, or forgets it. */
  set(name, isDone) {
    this.#names[isDone ? "add" : "delete"](name);
    const others = this.#stored().filter((each) => each !== name); // other tabs may have added some
    write(LOCAL, this.#key, [...others, ...(isDone ? [name] : [])].slice(-MAX_DONE));
  }

  #stored() {
    return read(LOCAL, this.#key) ?? [];
  }
}
