// The line under a field for a picture: why a file is no picture, or why it is not to be seen there,
// or that there is no camera. A browser's mark for a broken image says none of it, and is not shown.
// The field also takes what is dropped or pasted anywhere else on the page.

import { fileName } from "./lib/format.js";
import { find, noteText, renderLive, translator } from "./lib/lib.js";

const line = find(element, ".gv-upload-note");
const translate = translator(["viewer"]);
let unshown = ""; // the name of a picture that this browser cannot show
let hasNoCamera = false; // the one that was asked for
const MOST_LOOKS = 40; // for the place that takes a file, once the picture before is taken out
const LOOK = 50; // milliseconds between two

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
  if (hasNoCamera) line.textContent = translate("no_camera");
  else if (note) line.textContent = noteText(note);
  else line.textContent = unshown && props.value ? translate("unshown", { name: unshown }) : "";
}

/** @returns {HTMLElement | null} the field, where it is in sight */
function visibleField() {
  const field = document.getElementById(props.field);
  return field?.checkVisibility() ? field : null;
}

// Gradio says that a camera was forbidden, and nothing where there is none.
function watchCamera() {
  const devices = navigator.mediaDevices;
  if (!devices) return;
  const ask = devices.getUserMedia.bind(devices);
  devices.getUserMedia = (wanted) =>
    ask(wanted).catch((error) => {
      if (error.name === "NotAllowedError" || !visibleField()) throw error;
      sayCamera(true);
      return new Promise(() => {}); // it is told, and there is nothing more to come
    });
}

/** @param {boolean} isMissing */
function sayCamera(isMissing) {
  if (isMissing === hasNoCamera) return;
  hasNoCamera = isMissing;
  renderNote();
}

/** @param {FileList | undefined} files that were dropped or pasted */
function firstFile(files) {
  return [...(files ?? [])].find(({ type }) => type.startsWith("image/")) ?? files?.[0];
}

/** @param {DragEvent} event */
function holdDrag(event) {
  if (!event.dataTransfer?.types.includes("Files") || !visibleField()) return;
  event.preventDefault(); // a browser would leave the page for the file
}

/** @param {DragEvent | ClipboardEvent} event */
function takeFile(event) {
  const given = event instanceof DragEvent ? event.dataTransfer : event.clipboardData;
  const file = firstFile(given?.files);
  const field = visibleField();
  if (!file || !field || event.defaultPrevented) return;
  event.preventDefault();
  placeFile(field, file, MOST_LOOKS);
}

/**
 * @param {HTMLElement} field
 * @param {File} file
 * @param {number} looks that are left
 */
function placeFile(field, file, looks) {
  const input = /** @type {HTMLInputElement | null} */ (field.querySelector("input[type=file]"));
  if (input) {
    const files = new DataTransfer();
    files.items.add(file);
    input.files = files.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    return;
  }
  const clear = /** @type {HTMLElement | null} */ (
    field.querySelector(".icon-button-wrapper button:last-child")
  );
  if (looks === MOST_LOOKS) clear?.click();
  if (looks) setTimeout(() => placeFile(field, file, looks - 1), LOOK);
}

watchCamera();
document.addEventListener("dragover", holdDrag);
document.addEventListener("drop", takeFile);
document.addEventListener("paste", takeFile);
document.addEventListener("click", ({ target }) => {
  const chooser = target instanceof Element && target.closest(`#${props.field} .source-selection`);
  if (chooser) sayCamera(false);
});

// These events do not bubble.
for (const type of ["load", "error"]) document.addEventListener(type, markImage, true);
watch("value", () => {
  hasNoCamera = false;
  if (!props.value || props.value.note) unshown = "";
});
renderLive(renderNote);
