// The moderation queue: decisions about one post or the selected ones, by mouse or keyboard.

import { announce, decided, get, make, onKeys, post, showTimes, t, walk } from "./common.js";

const list = document.querySelector("#posts");
const shortcuts = document.querySelector("#shortcuts");
const history = []; // the groups of posts that were decided together, for undo

const help = () => shortcuts.showModal();
document.querySelector("#help").addEventListener("click", help);
if (list) start();
else onKeys({ "?": help });

function start() {
  const steps = walk(list);
  const all = document.querySelector("#all");
  const reason = document.querySelector("#reason");
  const note = document.querySelector("#note");
  const bulk = [...document.querySelectorAll("[data-bulk]")];
  const boxes = () => [...list.querySelectorAll(".post:not(.done) .select")];
  const selected = () => boxes().filter((box) => box.checked).map((box) => box.closest(".post"));
  const isBusy = (item) => item.hasAttribute("aria-busy");

  function showSelection() {
    const items = selected();
    for (const item of list.children) item.classList.toggle("selected", items.includes(item));
    for (const button of bulk) button.disabled = !items.length;
    all.checked = items.length > 0 && items.length === boxes().length;
    all.indeterminate = items.length > 0 && !all.checked;
    document.querySelector("#selected").textContent = items.length ? t("selected", items.length) : t("select_all");
  }

  function selectAll() {
    const value = selected().length < boxes().length;
    for (const box of boxes()) box.checked = value;
    showSelection();
  }

  function show(item, kind, text, ...more) {
    item.classList.remove("done", "conflict", "failed");
    if (kind) item.classList.add(kind);
    const outcome = item.querySelector(".outcome");
    outcome.hidden = !text;
    outcome.replaceChildren(text, ...more);
  }

  const textHash = (item) => item.dataset.version.split("-")[1];
  const seen = (item, decision) => {
    item.dataset.version = `${decision.id}-${textHash(item)}`;
  };

  function undoButton(group) {
    const button = make("button", { type: "button" }, t("undo"));
    button.addEventListener("click", () => undo(group));
    return button;
  }

  function conflict(item, result) {
    if (result.decision) {
      // The moderator has seen what the other one did, and may decide again.
      seen(item, result.decision);
      show(item, "conflict", t("decision_lost", decided(result.decision)));
    } else {
      show(item, "conflict", t("not_applied", result.detail));
    }
  }

  async function decide(action, items) {
    items = items.filter((item) => !isBusy(item));
    if (!items.length) return;
    const next = items.length === 1 && items[0] === steps.current();
    for (const item of items) item.setAttribute("aria-busy", "true");
    const why = action === "restore" ? "acceptable" : reason.value;
    const decisions = items.map((item) => ({
      target: item.dataset.target,
      id: item.dataset.id,
      version: item.dataset.version,
      action,
      reason: why,
      note: note.value.trim() || null,
    }));
    try {
      const { results } = await post("/console/decisions", { decisions });
      settle(action, items, results, next);
    } catch (error) {
      for (const item of items) show(item, "failed", t("not_applied", error.message));
      announce(error.message);
    } finally {
      for (const item of items) item.removeAttribute("aria-busy");
    }
  }

  function settle(action, items, results, next) {
    const group = [];
    items.forEach((item, i) => {
      const { status, decision } = results[i];
      item.querySelector(".select").checked = false;
      if (status !== 201) return conflict(item, results[i]);
      seen(item, decision);
      group.push({ item, decision });
    });
    if (group.length) history.push(group);
    if (next && group.length) steps.next();
    for (const one of group) show(one.item, "done", t(`done_${action}`), undoButton([one]));
    const failed = items.length - group.length;
    announce([t(`said_${action}`, group.length), ...(failed ? [t("said_failed", failed)] : [])].join(" "));
    note.value = "";
    showSelection();
  }

  async function undo(group = history.pop()) {
    if (!group) return announce(t("nothing_to_undo"));
    for (const { item, decision } of group) {
      if (!item.matches(".done")) continue;
      try {
        const { results } = await post(`/console/decisions/${decision.id}/undo`, { reason: "mistake" });
        if (results[0].status !== 201) {
          conflict(item, results[0]);
          continue;
        }
        seen(item, results[0].decision);
        show(item, "", "");
        announce(t("undone"));
      } catch (error) {
        show(item, "failed", t("not_undone", error.message));
      }
    }
    steps.focus(group[0].item);
  }

  const act = (action) => decide(action, selected().length ? selected() : [steps.current()].filter(Boolean));
  const choose = (key) => {
    if (reason.options[key - 1]) reason.selectedIndex = key - 1;
    announce(t("reason", reason.selectedOptions[0].text));
  };
  const select = () => {
    const box = steps.current()?.querySelector(".select");
    if (!box || steps.current().matches(".done")) return;
    box.checked = !box.checked;
    showSelection();
  };
  const numbers = [...reason.options].map((_, i) => [String(i + 1), choose]);
  onKeys({
    j: steps.next, k: steps.previous, s: select, a: selectAll, "?": help,
    r: () => act("restore"), x: () => act("remove"), h: () => act("hold"), u: () => undo(),
    n: () => note.focus(), ...Object.fromEntries(numbers),
  });
  note.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" && event.key !== "Enter") return;
    event.preventDefault();
    if (!steps.current()) steps.first();
  });
  document.querySelector("#decide").addEventListener("submit", (event) => event.preventDefault());
  list.addEventListener("change", showSelection);
  all.addEventListener("change", selectAll);
  for (const button of bulk) button.addEventListener("click", () => decide(button.dataset.bulk, selected()));
  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-action]");
    if (button) decide(button.dataset.action, [button.closest(".post")]);
  });
  for (const details of list.querySelectorAll(".history"))
    details.addEventListener("toggle", () => showHistory(details), { once: true });
  showSelection();
}

async function showHistory(details) {
  const { target, id } = details.closest(".post").dataset;
  const lines = details.querySelector("ol");
  try {
    const { results } = await get(`/console/decisions?target=${target}&target_id=${id}`);
    lines.replaceChildren(
      ...results.map((each) => make("li", {}, make("bdi", {}, decided(each)))),
    );
    showTimes(lines);
  } catch (error) {
    lines.replaceChildren(make("li", {}, error.message));
  }
}
