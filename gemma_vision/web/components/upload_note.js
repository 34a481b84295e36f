// The line under a field for a picture: why a file is no picture, or why it is not to be seen there.
// A browser's mark for a broken image says neither, and is not shown.

import { fileName } from "./lib/format.js";
import { find, noteText, renderLive, translator } from "./lib/lib.js";

const line = find(element, ".gv-upload-note");
const translate = translator(["viewer"]);
let unshown = ""; // the name of a picture that this browser cannot show

/** @param {Event} event of an image: `load` or `error` */
function markImage({ target, type }) {
  if (!(target instanceof HTMLImageElement) || !target.closest(`#${props.field}`)) return;
  target.style.visibility = type === "error" ? "hidden" : "";
  unshown = type === "error" ? fileName(target.src) : "";
  renderNote();
}

function renderNote() {
  const note = props.value?.note;
  line.classList.toggle("bad", Boolean(note));
  if (note) line.textContent = noteText(note);
  else line.textContent = unshown && props.value ? translate("unshown", { name: unshown }) : "";
}

// These events do not bubble.
for (const type of ["load", "error"]) document.addEventListener(type, markImage, true);
watch("value", () => {
  if (!props.value || props.value.note) unshown = "";
});
renderLive(renderNote);
