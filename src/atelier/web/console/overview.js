// The overview: figures of all instances, read every few seconds, as tiles, graphs and a table.

import { get, locale, make, t } from "./common.js";

const INTERVAL = 5000;
const TIME_STEPS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200]; // between labels: seconds
const plots = document.querySelector("#plots");
const reset = document.querySelector("#reset-zoom");
const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const small = new Intl.NumberFormat(locale, { maximumSignificantDigits: 3 });
const per = (value) => (value === null || value === undefined ? "–" : (value < 10 ? small : number).format(value));
const ms = (seconds) => (seconds === null || seconds === undefined ? "–" : per(seconds * 1000));
const bytes = (value) => {
  if (value === null || value === undefined) return "–";
  const units = ["B", "KB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(value, 1)) / 3));
  return `${per(value / 1000 ** power)} ${units[power]}`;
};
const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const exactClock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const percent = (value) => (value === null || value === undefined ? "–" : `${number.format(value * 100)} %`);

// Each graph: its title, its unit, and its lines: text, colour, value of a point.
const GRAPHS = [
  ["requests", "per_second", per, [["all", "p1", (p) => p.requests], ["errors", "p2", (p) => p.errors]]],
  ["response_time", "milliseconds", per, [
    ["median", "p4", (p) => times(p.p50)], ["p95", "p3", (p) => times(p.p95)], ["p99", "p2", (p) => times(p.p99)],
  ]],
  ["batch_size", "keys", per, [["mean", "p1", (p) => p.batch_size]]],
  ["waiting", "requests_unit", per, [["all_instances", "p3", (p) => p.waiting]]],
  ["instances", "reporting", per, [["instances_line", "p4", (p) => p.instances]]],
  ["processor", "cores", per, [["all_instances", "p1", (p) => p.cpu]]],
  ["db_connections", "open", per, [["all_clients", "p1", (p) => p.clients]]],
  ["db_transactions", "per_second", per, [["all_clients", "p4", (p) => p.transactions]]],
];
const times = (seconds) => (seconds === null ? null : seconds * 1000);

let range = "15m";
let points = [];
let timer;
let isZoomed = false;
const charts = GRAPHS.map(chart);

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function chart([titleName, unitName, format, named]) {
  const [title, unit] = [t(titleName), t(unitName)];
  const lines = named.map(([name, ...rest]) => [t(name), ...rest]);
  const legends = lines.map(([text, hue]) => make("span", { class: `legend ${hue}` }, text));
  const box = make("div", { role: "img", dir: "ltr", "aria-label": `${title}, ${unit}` });
  plots.append(make("figure", {}, make("figcaption", {}, make("b", {}, title, " ", make("span", { class: "muted" }, unit)), ...legends), box));
  return { title, unit, format, lines, legends, box, plot: null };
}

const clocks = (_, splits, __, ___, step) =>
  splits.map((each) => (step < 60 ? exactClock : clock).format(each * 1000));

function draw(one) {
  const axis = {
    stroke: () => color("muted"), grid: { stroke: () => color("line"), width: 1 },
    ticks: { stroke: () => color("line"), width: 1 }, font: "12px system-ui, sans-serif",
  };
  one.plot = new uPlot({
    width: Math.max(one.box.clientWidth, 200),
    height: 170,
    cursor: { sync: { key: "overview" }, drag: { x: true, y: false } },
    legend: { show: false },
    scales: { y: { range: (_, low, high) => [0, high > 0 ? high * 1.1 : 1] } },
    axes: [{ ...axis, size: 34, space: 64, incrs: TIME_STEPS, values: clocks }, { ...axis, size: 56, values: (_, values) => values.map(one.format) }],
    series: [
      {},
      ...one.lines.map(([text, hue]) => ({
        label: text, stroke: () => color(hue), width: 1.75, spanGaps: false, points: { show: false },
      })),
    ],
    hooks: {
      setCursor: [(plot) => legend(one, plot.cursor.idx)],
      setSelect: [(plot) => plot.select.width > 0 && zoomed(true)],
    },
  }, data(one), one.box);
}

// The points of a time, with a gap where nothing was reported.
function data(one) {
  return [points.map((p) => p.step), ...one.lines.map(([, , value]) => points.map((p) => value(p) ?? null))];
}

function legend(one, index) {
  const point = points[index ?? points.length - 1];
  one.lines.forEach(([text, , value], i) => {
    one.legends[i].textContent = `${text} ${point ? one.format(value(point)) : "–"}`;
  });
}

function zoomed(value) {
  isZoomed = value;
  reset.hidden = !value;
}

function withGaps(list, step) {
  const complete = [];
  for (const point of list) {
    const last = complete.at(-1);
    if (last && point.step - last.step > step * 3) complete.push({ step: last.step + step });
    complete.push(point);
  }
  return complete;
}

function tile(name, value, unit = "", isBad = false) {
  const cell = document.querySelector(`[data-tile=${name}]`);
  cell.replaceChildren(value, " ", make("small", {}, unit));
  cell.classList.toggle("bad", isBad);
}

function showTiles(figures) {
  const last = points.at(-1);
  const alive = figures.instances.filter((each) => !each.is_silent);
  tile("requests", per(last?.requests), t("a_second"));
  tile("errors", per(last?.errors), t("a_second"), last?.errors > 0);
  for (const name of ["p50", "p95", "p99"]) tile(name, ms(last?.[name]), t("ms"));
  tile("instances", `${alive.length}`, figures.instances.length > alive.length ? t("of", figures.instances.length) : "", !alive.length);
  tile("queue", number.format(figures.queue.reported + figures.queue.held), figures.queue.held ? t("held", figures.queue.held) : "");
  tile("database", `${figures.database.clients}`, t("of_connections", figures.database.most_connections));
}

function showInstances(instances) {
  const duration = (seconds) => {
    const [days, hours, minutes] = [86400, 3600, 60].map((size, i, all) => Math.floor((i ? seconds % all[i - 1] : seconds) / size));
    return days ? t("days_hours", days, hours) : hours ? t("hours_minutes", hours, minutes) : t("just_minutes", minutes);
  };
  const columns = [...document.querySelectorAll("#columns th")].map((each) => each.textContent);
  const cell = (value, column, style = {}) => make("td", { "data-column": column, ...style }, value);
  document.querySelector("#instances").replaceChildren(...instances.map((each) => {
    const state = make("span", { class: `state ${each.is_silent ? "bad" : "good"}` }, each.is_silent ? t("silent", Math.round(each.age_seconds)) : t("is_reporting"));
    const numbers = [
      duration(each.uptime_seconds), per(each.requests), per(each.errors), ms(each.p50), ms(each.p99), percent(each.cpu),
      bytes(each.memory_bytes), each.waiting, t("busy", each.connections - each.idle_connections, each.connections),
    ];
    return make("tr", {}, make("th", { scope: "row" }, make("bdi", {}, each.instance)), cell(state, columns[1]), cell(each.version, columns[2]),
      ...numbers.map((value, index) => cell(String(value), columns[index + 3], { class: "number nowrap" })));
  }));
}

function show(figures) {
  points = withGaps(points, figures.step);
  for (const one of charts) {
    if (one.plot) one.plot.setData(data(one), !isZoomed);
    else if (points.length > 1) draw(one); // one point has no scale
    legend(one);
    one.box.setAttribute("aria-label", `${one.title}, ${one.unit}: ${one.legends.map((each) => each.textContent).join(", ")}`);
  }
  plots.dataset.points = points.length;
  showTiles(figures);
  showInstances(figures.instances);
}

// Shows whether the figures are old ones, because new ones could not be read.
function stale(value) {
  document.querySelector("#freshness").classList.toggle("problem", value);
  document.querySelector("main").classList.toggle("stale", value);
}

// Reads what is new.
async function update() {
  clearTimeout(timer);
  const wanted = range;
  const known = points.filter((each) => each.requests !== undefined);
  const after = known.length ? `&after=${Math.floor(known.at(-1).step + step)}` : "";
  const freshness = document.querySelector("#freshness");
  try {
    const figures = await get(`/console/metrics?range=${range}${after}`);
    if (wanted !== range) return;
    step = figures.step;
    const oldest = Date.now() / 1000 - figures.seconds;
    const fresh = new Set(figures.points.map((each) => each.step));
    points = [...known.filter((each) => each.step > oldest && !fresh.has(each.step)), ...figures.points];
    show(figures);
    lastRead = exactClock.format(new Date());
    freshness.textContent = points.length ? t("updated", lastRead) : t("first_figures");
    stale(false);
  } catch (error) {
    freshness.textContent = lastRead ? t("as_of", lastRead, error.message) : t("no_figures", error.message);
    stale(true);
  } finally {
    if (!document.hidden) timer = setTimeout(update, INTERVAL);
  }
}
let step = 5;
let lastRead;

for (const button of document.querySelectorAll("[data-range]"))
  button.addEventListener("click", () => {
    range = button.dataset.range;
    points = [];
    zoomed(false);
    for (const each of document.querySelectorAll("[data-range]")) each.setAttribute("aria-pressed", each === button);
    update();
  });
reset.addEventListener("click", () => {
  zoomed(false);
  for (const one of charts) one.plot?.setData(data(one), true);
});
for (const one of charts) one.box.addEventListener("dblclick", () => reset.click());
document.addEventListener("visibilitychange", () => document.hidden || update());
new ResizeObserver(() => {
  for (const one of charts) one.plot?.setSize({ width: Math.max(one.box.clientWidth, 200), height: 170 });
}).observe(plots);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const one of charts) one.plot?.redraw(false);
});
update();
