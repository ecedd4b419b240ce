// The provider pages: dropping a file anywhere on its form, saying early that it is too large, and printing.
// Without this file everything still works: a file input takes a dropped file itself, browsers have a print command.
"use strict";
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
const input = document.querySelector("input.drop");
if (input) {
  const form = input.form;
  const check = () => {
    const file = input.files[0];
    const large = file && file.size > Number(input.dataset.most);
    input.setCustomValidity(large ? "Dit bestand is te groot." : "");
    if (large) input.reportValidity();
  };
  input.addEventListener("change", check);
  // A file that falls beside the form must not replace the page.
  for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());
  form.addEventListener("dragover", () => form.classList.add("over"));
  for (const name of ["dragleave", "drop"]) form.addEventListener(name, () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    const one = new DataTransfer();
    one.items.add(event.dataTransfer.files[0]);
    input.files = one.files;
    check();
    input.focus();
  });
}
