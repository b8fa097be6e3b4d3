// Imports: reads the page again while one is running, and sometimes otherwise.

import { announce, showTimes, t } from "./common.js";

const WHILE_RUNNING = 2000;
const OTHERWISE = 15_000;
const list = document.querySelector("#imports");
const openDetails = () => [...list.querySelectorAll("details[open]")].map((each) => each.dataset.id);
const isRunning = () => list.dataset.running === "true";
let shown; // as the service sent it

async function update() {
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (response.status === 401) return location.assign("/console/sign-in");
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = page.querySelector("#imports");
  if (!response.ok || !fresh) return;
  const open = openDetails();
  const wasRunning = isRunning();
  list.dataset.running = fresh.dataset.running;
  if (fresh.innerHTML === shown || list.contains(document.activeElement)) return; // not under a reader's focus
  shown = fresh.innerHTML;
  list.replaceChildren(...fresh.childNodes);
  for (const each of list.querySelectorAll("details")) each.open = open.includes(each.dataset.id);
  showTimes(list);
  if (wasRunning && !isRunning()) announce(t("import_ended"));
}

async function keepCurrent() {
  if (!document.hidden) await update().catch(() => {}); // the next time may work
  setTimeout(keepCurrent, isRunning() ? WHILE_RUNNING : OTHERWISE);
}
setTimeout(keepCurrent, WHILE_RUNNING);
