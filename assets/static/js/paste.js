/* A pasted list that no field of a form may hold goes along as the file that it could have been. */
"use strict";

(() => {
  const form = document.querySelector("form[data-largest]");
  if (!form) return;
  const { pasted, file } = form.elements;
  const LARGEST = Number(form.dataset.largest);
  /* Half of what fields may hold together, as the end of a line is sent as two letters. */
  const IN_FIELD = 1_000_000;
  /* A letter of JavaScript takes three bytes at most, so that a short text need not be measured. */
  const bytes = () =>
    pasted.value.length * 3 > IN_FIELD ? new TextEncoder().encode(pasted.value).length : 0;

  const check = () => {
    const size = bytes();
    let wrong = "";
    if (size > LARGEST) {
      wrong = `This is ${(size / 1e6).toFixed(1)} MB; a list has at most ${LARGEST / 1e6} MB.`;
    } else if (size > IN_FIELD && file.files.length) {
      wrong = "There is a file and a pasted text; take one of them.";
    }
    pasted.setCustomValidity(wrong);
  };

  pasted.addEventListener("input", check);
  file.addEventListener("change", check);
  /* A browser that goes back gives both of them back without a word. */
  window.addEventListener("pageshow", check);

  form.addEventListener("formdata", (event) => {
    if (file.files.length || bytes() <= IN_FIELD) return;
    event.formData.set("pasted", "");
    event.formData.set("file", new File([pasted.value], "pasted.txt", { type: "text/plain" }));
  });
})();
