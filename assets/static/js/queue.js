/* The queue under the keyboard. Each key presses a link or button of the row, so both ways are one way. */
"use strict";

const queue = document.querySelector("[data-queue]");
const panel = document.getElementById("panel");
const wide = window.matchMedia("(min-width: 1180px)");
let current = null;

const rows = () => [...queue.querySelectorAll("[data-row], [data-pair]")];
const groupOf = (element) => element?.closest(".vgroup");
const rowOf = (group) => group?.querySelector("[data-row]");

/* One row is in the tab order, with its own controls; the arrows reach the others. */
const makeCurrent = (row) => {
  for (const other of rows()) {
    const isIt = other === row;
    other.tabIndex = isIt ? 0 : -1;
    for (const control of other.querySelectorAll("a, button")) control.tabIndex = isIt ? 0 : -1;
  }
  current = row && groupOf(row).id;
};

const focusRow = (row) => {
  if (!row) return;
  makeCurrent(row);
  row.focus();
  row.scrollIntoView({ block: "nearest" });
  followInPanel(row);
};

const step = (row, by) => {
  const all = rows();
  const next = all[all.indexOf(row) + by];
  if (next) focusRow(next);
  else if (by > 0) queue.querySelector("[data-more]")?.click();
};

/* The panel: beside the list where there is room, else a page of its own. */
const shownInPanel = () => panel.dataset.shows;

const openPanel = (link) => {
  panel.dataset.shows = link.pathname;
  htmx.ajax("GET", link.pathname, { target: "#panel", swap: "innerHTML" });
};

const closePanel = () => {
  delete panel.dataset.shows;
  panel.replaceChildren();
};

const togglePanel = (link) => {
  if (!wide.matches) window.location.assign(link.href);
  else if (shownInPanel() === link.pathname) closePanel();
  else openPanel(link);
};

let following;
const followInPanel = (row) => {
  const link = groupOf(row)?.querySelector("[data-open]");
  clearTimeout(following);
  if (!shownInPanel() || !link || shownInPanel() === link.pathname) return;
  following = setTimeout(() => shownInPanel() && openPanel(link), 200);
};

const press = (within, selector) => {
  const control = within?.querySelector(selector);
  control?.click();
  return Boolean(control);
};

const keys = {
  j: (row) => step(row, 1),
  ArrowDown: (row) => step(row, 1),
  k: (row) => step(row, -1),
  ArrowUp: (row) => step(row, -1),
  Home: () => focusRow(rows()[0]),
  End: () => focusRow(rows().at(-1)),
  l: (row) => press(groupOf(row), "[data-fold=open]"),
  ArrowRight: (row) => press(groupOf(row), "[data-fold=open]"),
  h: (row) => press(groupOf(row), "[data-fold=close]"),
  ArrowLeft: (row) => press(groupOf(row), "[data-fold=close]"),
  a: (row) => press(groupOf(row), "[data-act=a]"),
  b: (row) => press(groupOf(row), "[data-act=b]"),
  e: (row) => press(groupOf(row), "[data-act=e]"),
  u: (row) => press(document.getElementById("toasts"), "[data-undo]") || press(groupOf(row), "[data-undo]"),
  o: (row) => {
    const link = groupOf(row).querySelector("[data-open]");
    if (link) togglePanel(link);
    else press(groupOf(row), "[data-fold]");
  },
  m: () => document.querySelector("[data-assign]")?.click(),
  "/": () => document.getElementById("filter")?.focus(),
  "?": () => document.getElementById("keys")?.showModal(),
  Escape: () => closePanel(),
};

const inEditor = (event) => {
  const editor = event.target.closest("[data-editor]");
  if (event.key === "Escape") {
    press(editor, "[data-cancel]");
  } else if (event.key === "Enter" && !event.shiftKey && event.target.matches("textarea")) {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
};

if (queue) {
  queue.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.closest("[data-editor]")) {
      inEditor(event);
      return;
    }
    const row = event.target.closest("[data-row], [data-pair]");
    if (!row || event.target.matches("input, select, textarea")) return;
    const act = event.key === "Enter" && event.target === row ? keys.o : keys[event.key];
    if (!act) return;
    event.preventDefault();
    act(row);
  });

  /* Where nothing has the focus yet, j enters the list at its current row. */
  document.addEventListener("keydown", (event) => {
    if (event.key !== "j" || document.activeElement !== document.body) return;
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    focusRow(rowOf(document.getElementById(current)));
  });

  document.querySelector(".filters")?.addEventListener("change", (event) => {
    if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
  });

  queue.addEventListener("focusin", (event) => {
    const row = event.target.closest("[data-row], [data-pair]");
    if (row) makeCurrent(row);
  });

  queue.addEventListener("click", (event) => {
    const link = event.target.closest("[data-open]");
    const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey;
    if (link && plain && wide.matches) {
      event.preventDefault();
      togglePanel(link);
    }
    const offered = event.target.closest("[data-last-reason]");
    if (offered) {
      event.preventDefault();
      const reason = offered.closest("form").querySelector("[data-reason]");
      reason.value = offered.dataset.lastReason;
      reason.focus();
    }
  });

  panel.addEventListener("click", (event) => {
    if (!event.target.closest("[data-close-panel]")) return;
    closePanel();
    focusRow(rowOf(document.getElementById(current)));
  });

  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    closePanel();
    focusRow(rowOf(document.getElementById(current)));
  });

  /* Where the focus was in what is swapped away, the row takes it, or the editor that opened under it. What
     other parts of the page swap, such as the progress of a run, moves nothing here. */
  let held = false;
  document.addEventListener("htmx:beforeSwap", () => {
    const active = document.activeElement;
    held = queue.contains(active) || document.getElementById("toasts").contains(active);
  });

  document.addEventListener("htmx:afterSettle", (event) => {
    const group = document.getElementById(current);
    if (queue.contains(event.target) && !event.target.closest("[data-editor]")) {
      makeCurrent(document.activeElement.closest("[data-row], [data-pair]") ?? rowOf(group) ?? rows()[0]);
      group?.querySelector("[data-editor] [autofocus]")?.focus();
      group?.querySelector(".decide-foot")?.scrollIntoView({ block: "nearest" });
    }
    if (held && group && document.activeElement === document.body) focusRow(rowOf(group));
  });

  document.addEventListener("decided", (event) => {
    document.getElementById("conflict").replaceChildren();
    const group = document.getElementById(`value-${event.detail.value}`);
    focusRow(rowOf(group?.nextElementSibling) ?? rowOf(group));
  });

  /* Where the address opens an editor, it has the focus already; else the first row waits for Tab. */
  makeCurrent(rows()[0]);
  const opened = queue.querySelector("[data-editor]");
  if (opened) makeCurrent(rowOf(groupOf(opened)));
}
