/* Every page: copying, toasts, dialogs, waiting, lost answers. Nothing here is needed to use a page. */
"use strict";

document.documentElement.classList.add("js");

const live = (text) => {
  document.getElementById("live").textContent = text;
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from], [data-dismiss], [data-close], [data-keys], [data-print]");
  if (!button) return;
  if (button.dataset.copy !== undefined || button.dataset.copyFrom !== undefined) {
    const text = button.dataset.copy ?? document.getElementById(button.dataset.copyFrom).textContent;
    await navigator.clipboard.writeText(text);
    live("Copied.");
  } else if (button.dataset.dismiss !== undefined) {
    button.closest("[data-toast]").remove();
  } else if (button.dataset.close !== undefined) {
    event.preventDefault();
    button.closest("dialog").close();
  } else if (button.dataset.print !== undefined) {
    window.print();
  } else {
    document.getElementById("keys")?.showModal();
  }
});

/* A toast stays ten seconds, longer while it is pointed at or holds the focus. */
const watchToast = (toast) => {
  if (toast.dataset.watched) return;
  toast.dataset.watched = "yes";
  let timer;
  const start = () => {
    clearTimeout(timer);
    timer = setTimeout(() => toast.remove(), 10000);
  };
  const hold = () => clearTimeout(timer);
  toast.addEventListener("mouseenter", hold);
  toast.addEventListener("focusin", hold);
  toast.addEventListener("mouseleave", start);
  toast.addEventListener("focusout", start);
  start();
};

const settle = () => {
  document.querySelectorAll("[data-toast]").forEach(watchToast);
  document.querySelectorAll("dialog[data-open]").forEach((dialog) => {
    if (dialog.open) return;
    dialog.showModal();
    dialog.querySelector("[autofocus]")?.focus();
  });
};

const complain = (text) => {
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.dataset.toast = "";
  const words = document.createElement("p");
  words.textContent = text;
  toast.append(words);
  document.getElementById("toasts").replaceChildren(toast);
  live(text);
  watchToast(toast);
};

document.addEventListener("DOMContentLoaded", settle);
document.addEventListener("htmx:afterSettle", settle);
document.addEventListener("htmx:oobAfterSwap", settle);

document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.elt.closest("[data-poll]")) return;
  const status = event.detail.xhr.status;
  const why = { 403: "You may not do this.", 404: "This is not there any more.", 413: "This is too large." };
  complain(`${why[status] ?? `The server answered ${status}.`} Nothing was saved.`);
});

document.addEventListener("htmx:sendError", (event) => {
  if (event.detail.elt.closest("[data-poll]")) return;
  complain("The server does not answer. Nothing was saved; try again.");
});

/* What polls and was refused several times in a row says so, for as long as that is so. */
const MISSED = 3;
const missed = new Map();

const tellStopped = () => {
  const isStopped = [...missed].some(([id, times]) => times >= MISSED && document.getElementById(id));
  const told = document.getElementById("live-stopped");
  if (!isStopped) told?.remove();
  if (!isStopped || told) return;
  const words = document.createElement("p");
  words.textContent = "Live updates stopped. What you see may be old; reload the page to see it as it is.";
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.id = "live-stopped";
  toast.append(words);
  document.getElementById("toasts").append(toast);
  live(words.textContent);
};

document.addEventListener("htmx:afterRequest", (event) => {
  const poll = event.detail.requestConfig?.elt.closest("[data-poll]");
  if (!poll) return;
  if (event.detail.successful) missed.delete(poll.id);
  else missed.set(poll.id, (missed.get(poll.id) ?? 0) + 1);
  tellStopped();
});

/* What polls asks rarely while nobody looks. */
let skipped = 0;
document.addEventListener("htmx:beforeRequest", (event) => {
  if (!event.detail.elt.matches("[data-poll]") || !document.hidden) return;
  skipped += 1;
  if (skipped % 5 !== 0) event.preventDefault();
});
