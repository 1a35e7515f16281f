/* The queue while others work in it: asks what changed in the rows on the screen and shows it where nothing moves.
   The server replaces no row that is open; here the bar above the rows is walked through. */
"use strict";

(() => {
  const changes = document.getElementById("changes");
  if (!changes) return;

  /* As many rows as fit into an address, those around the current one. */
  const ROWS = 180;
  let etag = "";
  let asked = "";

  const rowIn = (group) => group.querySelector("[data-row]");
  const groups = () => [...document.querySelectorAll("[data-queue] .vgroup")].filter(rowIn);
  const isOpen = (group) => group.querySelector("[data-editor], [data-pair]") !== null;
  const unseen = () => groups().filter((group) => group.classList.contains("is-changed"));

  const onScreen = () => {
    const all = groups();
    const at = Math.max(0, all.findIndex((group) => group.contains(document.activeElement)) - ROWS / 2);
    return all.slice(at, at + ROWS);
  };

  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt !== changes) return;
    const shown = onScreen();
    const editor = document.querySelector("[data-queue] [data-editor]");
    const editing = editor?.closest(".vgroup");
    const parameters = {
      rows: shown.map((group) => `${rowIn(group).dataset.row}-${rowIn(group).dataset.version}`).join("_"),
      open: shown.filter(isOpen).map((group) => rowIn(group).dataset.row).join("_"),
      told: unseen().map((group) => rowIn(group).dataset.row).join("_"),
      values: changes.dataset.values,
      editing: editing ? rowIn(editing).dataset.row : "",
      basis: editor?.querySelector("[name=basis]")?.value ?? "",
    };
    Object.assign(event.detail.parameters, parameters);
    const now = JSON.stringify(parameters);
    if (etag && now === asked) event.detail.headers["If-None-Match"] = etag;
    asked = now;
  });

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt === changes && document.hidden) event.preventDefault();
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt === changes) etag = event.detail.xhr.getResponseHeader("ETag") ?? "";
  });

  const look = () => htmx.trigger(changes, "look");

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) look();
  });

  /* One decision may change many rows. */
  document.addEventListener("decided", look);

  document.addEventListener("rows-changed", (event) => {
    for (const [row, version] of Object.entries(event.detail.rows)) {
      const group = document.getElementById(`value-${row}`);
      if (!group) continue;
      rowIn(group).dataset.version = version;
      group.classList.add("is-changed");
    }
  });

  const seen = (group) => {
    if (!group?.classList.contains("is-changed")) return;
    group.classList.remove("is-changed");
    const left = unseen().length;
    const part = changes.querySelector("[data-changed]");
    if (!part) return;
    if (left) part.querySelector("b").textContent = `${left} row${left === 1 ? "" : "s"} changed`;
    else if (changes.querySelector("[data-new-values]")) part.remove();
    else changes.replaceChildren();
  };

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-show-changed]")) return;
    const next = unseen()[0];
    if (!next) return;
    rowIn(next).focus();
    rowIn(next).scrollIntoView({ block: "nearest" });
  });

  document.addEventListener("focusin", (event) => seen(event.target.closest?.(".vgroup")));
})();
