/* Uploads piece by piece. What was sent stays on the server: choosing the same files goes on where it stopped. */
"use strict";

const PIECE_BYTES = 1024 * 1024;
const WAITS_MS = [500, 1000, 2000, 4000, 8000, 15000, 30000];

const megabytes = (bytes) => (bytes / 1e6).toLocaleString("en", { maximumFractionDigits: 1 });

const fingerprint = async (file) => {
  const bytes = await file.slice(0, PIECE_BYTES).arrayBuffer();
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
};

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

class Refused extends Error {}

/* The server away, or a worker of it restarting, is waited for; what it refuses is told. */
const ask = async (address, options) => {
  for (const wait of [...WAITS_MS, null]) {
    let answer = null;
    try {
      answer = await fetch(address, { ...options, credentials: "same-origin", redirect: "error" });
    } catch (error) {
      if (!(error instanceof TypeError) || wait === null) throw new Refused("The server does not answer. Choose the same files again later; what was sent is kept.");
    }
    if (answer?.ok || answer?.status === 409) return { status: answer.status, body: await answer.json() };
    if (answer && answer.status < 500) {
      const isJson = answer.headers.get("Content-Type")?.startsWith("application/json");
      throw new Refused(isJson ? (await answer.json()).said : "You may not upload here, or your session has ended. Sign in again.");
    }
    if (answer?.status === 507) throw new Refused((await answer.json()).said);
    if (wait === null) throw new Refused(`The server answered ${answer.status}. Choose the same files again later; what was sent is kept.`);
    await pause(wait);
  }
};

const begin = (form) => {
  const input = form.querySelector("input[type=file]");
  const error = form.querySelector("#upload-error");
  const bar = form.querySelector("#upload-bar");
  const button = form.querySelector("button");
  const token = form.elements.csrfmiddlewaretoken.value;
  const headers = { "X-CSRFToken": token, "Content-Type": "application/octet-stream" };

  const show = (sent, total) => {
    bar.hidden = false;
    bar.querySelector("progress").max = total || 1;
    bar.querySelector("progress").value = sent;
    bar.querySelector("#upload-said").textContent = `${megabytes(sent)} of ${megabytes(total)} MB`;
  };

  const send = async (files) => {
    const total = files.reduce((sum, file) => sum + file.size, 0);
    show(0, total);
    const announced = [];
    for (const file of files) announced.push({ name: file.name, size: file.size, first_piece: await fingerprint(file) });
    const opened = await ask(form.dataset.upload, { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify({ files: announced }) });
    const base = new URL(`${opened.body.upload}/`, new URL(form.action));
    const received = opened.body.files.map((file) => file.received);
    const sent = () => received.reduce((sum, bytes) => sum + bytes, 0);
    show(sent(), total);
    for (const [place, file] of files.entries()) {
      let stuck = 0;
      while (received[place] < file.size) {
        const offset = received[place];
        const body = file.slice(offset, offset + PIECE_BYTES);
        const answer = await ask(new URL(`${opened.body.files[place].number}/${offset}`, base), { method: "PUT", headers, body });
        received[place] = answer.body.received;
        stuck = received[place] === offset ? stuck + 1 : 0;
        if (stuck > 3) throw new Refused(answer.body.said);
        show(sent(), total);
      }
    }
    window.location.assign(base);
  };

  form.addEventListener("submit", async (event) => {
    if (!window.crypto?.subtle) return;
    event.preventDefault();
    if (button.disabled) return;
    error.hidden = true;
    button.disabled = true;
    try {
      await send([...input.files]);
    } catch (failure) {
      const isGone = failure instanceof DOMException;
      error.textContent = failure instanceof Refused ? failure.message : isGone ? "A file cannot be read any more; choose the files again." : `It stopped: ${failure.message}`;
      error.hidden = false;
      button.disabled = false;
    }
  });
};

document.querySelectorAll("form[data-upload]").forEach(begin);
