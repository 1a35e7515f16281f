/* The inbox under the keyboard: j and k choose a line, and its keys press what stands in it. */
"use strict";

const items = () => [...document.querySelectorAll("[data-item], main a.item")];

const choose = (item) => {
  if (!item) return;
  for (const other of items()) other.classList.toggle("is-chosen", other === item);
  item.focus();
  item.scrollIntoView({ block: "nearest" });
};

const step = (by) => {
  const all = items();
  const at = all.indexOf(document.activeElement.closest("[data-item], a.item"));
  choose(all[at < 0 ? 0 : at + by]);
};

/* Enter confirms: approving is never one key away from looking. */
const keys = {
  j: () => step(1),
  ArrowDown: () => step(1),
  k: () => step(-1),
  ArrowUp: () => step(-1),
  a: (item) => item.querySelector("[data-approve]")?.focus(),
  r: (item) => {
    const rejecting = item.querySelector(".rejecting");
    if (!rejecting) return;
    rejecting.open = true;
    rejecting.querySelector("input[name=reason]").focus();
  },
  o: (item) => (item.matches("a") ? item : item.querySelector("[data-open]"))?.click(),
};

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
  const field = event.target.closest("input, select, textarea");
  const item = document.activeElement.closest("[data-item], a.item");
  if (field) {
    if (event.key === "Escape" && item) {
      item.querySelector(".rejecting")?.removeAttribute("open");
      choose(item);
    }
    return;
  }
  if (document.querySelector("dialog[open]")) return;
  const moves = ["j", "k", "ArrowDown", "ArrowUp"].includes(event.key);
  const act = keys[event.key] ?? (event.key === "Enter" && event.target === item ? keys.o : undefined);
  if (!act || (!item && !moves)) return;
  event.preventDefault();
  act(item);
});
