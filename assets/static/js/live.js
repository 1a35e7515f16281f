/* The queue while others work in it: asks what changed in the rows on the screen and shows it where nothing moves.
   The server replaces no row that is open; here the bar above the rows is walked through. */
"use strict";

(() => {
  const changes = document.getElementById("changes");
  if (!changes) return;

  /* Letters of an address. Servers refuse lines of more than some 4,000, and those before them may add a little. */
  const LONGEST = 3700;
  let etag = "";
  let asked = "";

  const rowIn = (group) => group.querySelector("[data-row]");
  const groups = () => [...document.querySelectorAll("[data-queue] .vgroup")].filter(rowIn);
  const isOpen = (group) => group.querySelector("[data-editor], [data-pair]") !== null;
  const editor = () => document.querySelector("[data-queue] [data-editor]");
  const unseen = () => groups().filter((group) => group.classList.contains("is-changed"));

  const numberOf = (group) => rowIn(group).dataset.row;
  const askedOf = (group) => `${numberOf(group)}-${rowIn(group).dataset.version}`;
  const joined = (these, part) => these.map(part).join("_");

  /* What a row takes in the address: its number again where it is open or not seen yet. */
  const lettersOf = (group) => {
    const again = Number(isOpen(group)) + Number(group.classList.contains("is-changed"));
    return askedOf(group).length + 1 + again * (numberOf(group).length + 1);
  };

  /* The row with the focus, or the one that is decided, or the first that can be seen. */
  const middleOf = (all) => {
    const current = (document.activeElement?.closest("[data-queue]") ? document.activeElement : editor())?.closest(".vgroup");
    const at = current ? all.indexOf(current) : all.findIndex((group) => group.getBoundingClientRect().bottom > 0);
    return Math.max(0, at);
  };

  /* As many rows around the middle as have room, in their order. */
  const around = (room) => {
    const all = groups();
    const middle = middleOf(all);
    let [first, end] = [middle, middle];
    for (let turn = 0; first > 0 || end < all.length; turn += 1) {
      const isBelow = (turn % 2 === 0 && end < all.length) || first === 0;
      room -= lettersOf(all[isBelow ? end : first - 1]);
      if (room < 0) break;
      if (isBelow) end += 1;
      else first -= 1;
    }
    return all.slice(first, end);
  };

  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt !== changes) return;
    const editing = editor()?.closest(".vgroup");
    const parameters = {
      rows: "",
      open: "",
      told: "",
      values: changes.dataset.values,
      editing: editing ? numberOf(editing) : "",
      basis: editor()?.querySelector("[name=basis]")?.value ?? "",
    };
    const shown = around(LONGEST - event.detail.path.length - new URLSearchParams(parameters).toString().length);
    parameters.rows = joined(shown, askedOf);
    parameters.open = joined(shown.filter(isOpen), numberOf);
    parameters.told = joined(shown.filter((group) => group.classList.contains("is-changed")), numberOf);
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
