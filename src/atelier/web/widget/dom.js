/** Builds elements. Texts become text nodes: nothing here parses HTML. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Returns an element: `h("p.hint", {attributes}, ...children)`. Its classes are its parts, too. Functions
 * among the attributes are listeners; false and null are left out, among the children as well.
 */
export function h(name, attributes, ...children) {
  if (attributes?.constructor !== Object) return h(name, {}, attributes, ...children);
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = element.part = classes.join(" ");
  if (tag === "button") element.type = "button";
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

/** Returns an icon of one path on a grid of 24 by 24, which screen readers skip. */
export function icon(path) {
  const svg = document.createElementNS(SVG, "svg");
  const line = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

export const ICONS = {
  close: "M6 6l12 12M18 6L6 18",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l4.5 4.5",
  thumb: "M3 11h4v9H3M7 11l4-8q3 1 2 6h5q3 0 2 3l-2 8H7",
  alert: "M12 3l9.5 17h-19zM12 10v4.5M12 17.4v.1",
};

/** Returns the nodes of a text with its ranges (in code points) marked. */
export function marked(text, ranges = []) {
  const points = Array.from(text);
  let end = 0;
  const nodes = ranges.flatMap(([from, to]) => {
    const before = points.slice(end, from).join("");
    end = to;
    return [before, h("mark.mark", points.slice(from, to).join(""))];
  });
  return [...nodes, points.slice(end).join("")];
}

/** Returns the ranges of a search's match in the whole text, given its snippet between ellipses. */
export function rangesIn(text, { snippet, ranges }) {
  const start = snippet.length > 1 && snippet.startsWith("…") && !text.startsWith(snippet) ? 1 : 0;
  const position = text.indexOf(snippet.slice(start, snippet.endsWith("…") ? -1 : undefined));
  if (position < 0) return [];
  const shift = Array.from(text.slice(0, position)).length - start;
  return ranges.map(([from, to]) => [from + shift, to + shift]);
}

/** Whether a URL of a shopper may be shown: http and https only. */
export function isWebAddress(url) {
  return /^https?:\/\//i.test(url) && URL.canParse(url);
}

/** Lets the browser draw and react to the person before more is built. */
export const pause = () => new Promise((resolve) => setTimeout(resolve));
