/* Searching from any page: Ctrl+K opens the dialog, the arrows choose, Enter opens. */
"use strict";

const searchDialog = document.getElementById("search");
const searchInput = searchDialog.querySelector("[name=q]");
const searchFound = document.getElementById("search-found");

const openSearch = () => {
  const onPage = document.querySelector("[data-search-field]");
  if (onPage) {
    onPage.focus();
    onPage.select();
    return;
  }
  if (!searchDialog.open) searchDialog.showModal();
  searchInput.focus();
  searchInput.select();
};

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  event.preventDefault();
  openSearch();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-search]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openSearch();
});

/* On the dark around the dialog. */
searchDialog.addEventListener("click", (event) => {
  if (event.target === searchDialog) searchDialog.close();
});

const hits = () => [...searchFound.querySelectorAll("[data-hit]")];
const isAnswered = () => searchFound.querySelector("[data-asked]")?.dataset.asked === searchInput.value.trim();

searchDialog.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const all = hits();
  const at = all.indexOf(document.activeElement);
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const next = at + (event.key === "ArrowDown" ? 1 : -1);
    if (next < 0) searchInput.focus();
    else all[Math.min(next, all.length - 1)]?.focus();
  } else if (event.key === "Enter" && event.target === searchInput && isAnswered() && all.length) {
    event.preventDefault();
    all[0].click();
  } else if (at >= 0 && event.key.length === 1 && !event.ctrlKey && !event.metaKey && event.key !== " ") {
    /* Typing goes on where it was. */
    searchInput.focus();
  }
});
