// Unanswered questions: an answer in the name of the shop, right in the list.

import { announce, decided, make, onKeys, post, t, walk } from "./common.js";

const list = document.querySelector("#posts");
const answered = [];

if (list) start();

function start() {
  const steps = walk(list);

  function toggle(item, isOpen) {
    item.querySelector(".answer").hidden = !isOpen;
    item.querySelector("[data-open]").setAttribute("aria-expanded", isOpen);
    if (isOpen) item.querySelector("textarea").focus();
    else steps.focus(item);
  }

  function show(item, kind, text, ...more) {
    item.classList.remove("done", "conflict", "failed");
    if (kind) item.classList.add(kind);
    const outcome = item.querySelector(".outcome");
    outcome.hidden = !text;
    outcome.replaceChildren(text, ...more);
  }

  async function answer(item) {
    const text = item.querySelector("textarea");
    const button = item.querySelector(".answer .primary");
    if (button.disabled) return;
    button.disabled = true;
    const decision = {
      target: "question",
      id: item.dataset.id,
      version: item.dataset.version,
      action: "answer_as_seller",
      reason: "answered",
      text: text.value,
    };
    try {
      const { results: [result] } = await post("/console/decisions", { decisions: [decision] });
      if (result.status === 201) settle(item, result.decision);
      else if (result.decision) show(item, "conflict", t("answer_lost", decided(result.decision)));
      else show(item, "conflict", t("not_published", result.detail));
    } catch (error) {
      show(item, "failed", t("not_published", error.message));
    } finally {
      button.disabled = false;
    }
  }

  function settle(item, decision) {
    answered.push({ item, decision });
    item.querySelector(".answer").hidden = true;
    const button = make("button", { type: "button" }, t("undo"));
    button.addEventListener("click", () => undo({ item, decision }));
    steps.focus(item);
    steps.next();
    show(item, "done", t("answered", decision.answer_id), button);
    announce(t("published"));
  }

  async function undo(last = answered.pop()) {
    if (!last) return announce(t("nothing_to_undo"));
    const { item, decision } = last;
    try {
      const { results: [result] } = await post(`/console/decisions/${decision.id}/undo`, { reason: "mistake" });
      if (result.status !== 201) return show(item, "conflict", t("not_undone", result.detail));
      item.dataset.version = `${result.decision.id}-${item.dataset.version.split("-")[1]}`;
      show(item, "", "");
      announce(t("withdrawn"));
    } catch (error) {
      show(item, "failed", t("not_undone", error.message));
    }
    steps.focus(item);
  }

  for (const item of list.children) {
    const text = item.querySelector("textarea");
    const counter = item.querySelector(".counter");
    item.querySelector("[data-open]").addEventListener("click", () => toggle(item, item.querySelector(".answer").hidden));
    item.querySelector("[data-close]").addEventListener("click", () => toggle(item, false));
    item.querySelector(".answer").addEventListener("submit", (event) => {
      event.preventDefault();
      answer(item);
    });
    text.addEventListener("input", () => {
      counter.textContent = t("counter", text.value.length, text.maxLength);
    });
    text.addEventListener("keydown", (event) => {
      if (event.key === "Escape") toggle(item, false);
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) item.querySelector(".answer").requestSubmit();
    });
  }
  onKeys({
    j: steps.next, k: steps.previous, u: () => undo(),
    e: () => steps.current() && !steps.current().matches(".done") && toggle(steps.current(), true),
  });
}
