/* The inbox under the keyboard: j and k choose a line, its keys press what stands in it, and on wide
   screens the line in focus is previewed beside the list. */
"use strict";

const LINE = "[data-item], [data-group]";
const WIDE = window.matchMedia("(min-width: 1180px)");
const WAIT = 150;

/* Lines of a folded group are not there to be moved to. */
const items = () => [...document.querySelectorAll(LINE)].filter((each) => each.matches("[data-group]")
  ? !each.parentElement.open
  : each.closest("details.inbox-group").open);

let previewing;
let previewed = "";

const preview = (item) => {
  const address = item.dataset.preview ?? "";
  window.clearTimeout(previewing);
  if (!WIDE.matches || address === previewed) return;
  previewing = window.setTimeout(() => {
    previewed = address;
    const pane = document.getElementById("preview");
    if (address) window.htmx.ajax("GET", address, { target: pane, swap: "innerHTML" });
    else pane.replaceChildren();
  }, WAIT);
};

const mark = (item) => {
  for (const other of document.querySelectorAll("[data-item]")) other.classList.toggle("is-chosen", other === item);
};

const choose = (item) => {
  if (!item) return;
  item.focus();
  item.scrollIntoView({ block: "nearest" });
};

const current = () => document.activeElement.closest(LINE);

const step = (by) => {
  const all = items();
  const at = all.indexOf(current());
  choose(all[at < 0 ? 0 : at + by]);
};

const fold = (item, isOpen) => {
  const group = item.closest("details.inbox-group");
  if (!group || group.open === isOpen) return;
  group.open = isOpen;
  choose(isOpen ? group.querySelector("[data-item]") : group.querySelector("[data-group]"));
};

/* Enter confirms: approving is never one key away from looking. */
const keys = {
  j: () => step(1),
  ArrowDown: () => step(1),
  k: () => step(-1),
  ArrowUp: () => step(-1),
  h: (item) => fold(item, false),
  l: (item) => fold(item, true),
  a: (item) => item.querySelector("[data-approve]")?.focus(),
  c: (item) => item.querySelector("[data-confirm]")?.focus(),
  r: (item) => {
    const rejecting = item.querySelector(".rejecting");
    if (!rejecting) return;
    rejecting.open = true;
    rejecting.querySelector("input[name=reason]").focus();
  },
  o: (item) => (item.matches("[data-open], [data-group]") ? item : item.querySelector("[data-open]"))?.click(),
};

document.addEventListener("focusin", (event) => {
  const item = event.target.closest("[data-item]");
  if (!item) return;
  mark(item);
  preview(item);
});

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
  const field = event.target.closest("input, select, textarea");
  const item = current();
  if (field) {
    if (event.key === "Escape" && item) {
      item.querySelector(".rejecting")?.removeAttribute("open");
      choose(item);
    }
    return;
  }
  if (document.querySelector("dialog[open]")) return;
  const moves = ["j", "k", "ArrowDown", "ArrowUp"].includes(event.key);
  const opens = event.key === "Enter" && event.target === item && item.matches("[data-item]");
  const act = keys[event.key] ?? (opens ? keys.o : undefined);
  if (!act || (!item && !moves)) return;
  event.preventDefault();
  act(item);
});

/* Nothing is chosen yet: what is most urgent is shown. */
const first = document.querySelector("[data-item]");
if (first) preview(first);
