/** What a page keeps in the browser. Where storage is blocked or full, the functions do nothing. */

const AREAS = { local: () => localStorage, session: () => sessionStorage };

function attempt(action, otherwise) {
  try {
    return action();
  } catch {
    return otherwise;
  }
}

/** Returns the value of a key, or undefined. */
export function read(area, key) {
  return attempt(() => JSON.parse(AREAS[area]().getItem(key)) ?? undefined);
}

/** Stores a value; returns whether it is stored. */
export function write(area, key, value) {
  return attempt(() => {
    AREAS[area]().setItem(key, JSON.stringify(value));
    return true;
  }, false);
}

export function remove(area, key) {
  attempt(() => AREAS[area]().removeItem(key));
}

/** Returns the keys that begin with a text. */
export function keys(area, prefix) {
  return attempt(() => Object.keys(AREAS[area]()).filter((key) => key.startsWith(prefix)), []);
}

/** What this browser has voted for or reported on one product: names, the newest last. */
export class Done {
  static #MAX = 1000;
  #key;
  #names;

  constructor(scope) {
    this.#key = `${scope}:done`;
    this.#names = new Set(this.#stored());
  }

  has(name) {
    return this.#names.has(name);
  }

  add(name) {
    this.#names.add(name);
    this.#save([...this.#stored().filter((each) => each !== name), name]);
  }

  delete(name) {
    this.#names.delete(name);
    this.#save(this.#stored().filter((each) => each !== name));
  }

  #stored() {
    const names = read("local", this.#key);
    return Array.isArray(names) ? names : [];
  }

  #save(names) {
    write("local", this.#key, names.slice(-Done.#MAX));
  }
}
