/* Selecting rows of the queue under the keyboard. The bar itself is a form and shows without this. */
"use strict";

const bulk = document.getElementById("bulk");
const list = document.querySelector("[data-queue]");

if (bulk && list) {
  const reason = bulk.querySelector("[data-bulk-reason]");
  const buttons = [...bulk.querySelectorAll("[data-bulk]")];
  const shown = list.querySelector("[data-pick-shown]");
  const picks = () => [...list.querySelectorAll("[data-pick]:not(:disabled)")];
  const picked = () => picks().filter((pick) => pick.checked);
  const isOpen = () => bulk.dataset.all !== undefined || picked().length > 0;
  let last = null;
  /* Which button Enter in the reason presses. */
  let wanted = null;

  const tell = () => {
    const count = picked().length;
    const said = bulk.querySelector("[data-picked]");
    if (said) said.textContent = `${count.toLocaleString("en")} selected`;
    if (!shown || shown.disabled) return;
    shown.checked = count > 0 && count === picks().length;
    shown.indeterminate = count > 0 && !shown.checked;
  };

  const clear = () => {
    for (const pick of picked()) pick.checked = false;
    tell();
  };

  const toggle = (row, isRange) => {
    const pick = row.closest(".vgroup")?.querySelector("[data-pick]:not(:disabled)");
    if (!pick) return;
    const all = picks();
    const from = all.indexOf(last);
    const to = all.indexOf(pick);
    if (isRange && from >= 0) {
      for (const each of all.slice(Math.min(from, to), Math.max(from, to) + 1)) each.checked = true;
    } else {
      pick.checked = !pick.checked;
    }
    last = pick;
    tell();
  };

  const wordFor = (key) => {
    wanted = buttons.find((button) => button.dataset.bulk === key);
    reason.focus();
  };

  /* Before the queue's own keys: with a selection, a and b mean all of it. */
  list.addEventListener(
    "keydown",
    (event) => {
      if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
      const row = event.target.closest("[data-row]");
      if (!row || event.target.closest("[data-editor]")) return;
      if (event.key.toLowerCase() === "x") toggle(row, event.shiftKey);
      else if (event.key === "*") (bulk.querySelector("[data-all-link]") ?? row).click();
      else if (isOpen() && (event.key === "a" || event.key === "b")) wordFor(event.key);
      else if (isOpen() && event.key === "Escape" && bulk.dataset.all === undefined) clear();
      else return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    { capture: true },
  );

  list.addEventListener("change", (event) => {
    if (event.target === shown) for (const pick of picks()) pick.checked = shown.checked;
    else if (!event.target.matches("[data-pick]")) return;
    else last = event.target;
    tell();
  });

  bulk.addEventListener("click", (event) => {
    if (!event.target.closest("[data-clear]") || bulk.dataset.all !== undefined) return;
    event.preventDefault();
    clear();
  });

  bulk.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      list.querySelector("[data-row][tabindex='0']")?.focus();
    } else if (event.key === "Enter" && event.target === reason) {
      event.preventDefault();
      if (wanted) bulk.requestSubmit(wanted);
    }
  });

  document.addEventListener("htmx:afterSettle", tell);
  tell();
}
