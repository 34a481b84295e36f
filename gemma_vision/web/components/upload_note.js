// The line under a field for a picture: why a file is no picture, or why it is not to be seen there,
// or that there is no camera, or that of several files one was taken. A browser's mark for a broken
// image says none of it, and is not shown. The field also takes what is dropped or pasted anywhere
// else on the page.

import { fileName } from "./lib/format.js";
import { find, noteText, renderLive, translator } from "./lib/lib.js";
import { choosePicture, typedFile } from "./upload_note_files.js";

const line = find(element, ".gv-upload-note");
const translate = translator(["viewer"]);
let unshown = ""; // the name of a picture that this browser cannot show
let hasNoCamera = false; // the one that was asked for
/** @type {{key: string, values: Record<string, unknown>} | null} */
let told = null; // of the files that were brought last
let toldOf = ""; // the picture that stands there then
const MOST_LOOKS = 40; // for the place that takes a file, once the picture before is taken out
const LOOK = 50; // milliseconds between two

/** @param {Event} event of an image: `load` or `error` */
function markImage({ target, type }) {
  if (!(target instanceof HTMLImageElement) || !target.closest(`#${props.field}`)) return;
  target.style.visibility = type === "error" ? "hidden" : "";
  unshown = type === "error" ? fileName(target.src) : "";
  if (told?.key === "not_a_picture" || (toldOf && toldOf !== target.src)) told = null;
  toldOf = target.src;
  renderNote();
}

function renderNote() {
  const note = props.value?.note;
  const isRefused = told?.key === "not_a_picture"; // here, and so later than what came back
  line.classList.toggle("bad", Boolean(note) || isRefused);
  if (hasNoCamera) line.textContent = translate("no_camera");
  else if (note && !isRefused) line.textContent = noteText(note);
  else if (told) line.textContent = translate(told.key, told.values);
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

/**
 * The picture among some files, if there is one, and what there is to say of them.
 * @param {FileList | null | undefined} files that were dropped, pasted or chosen
 */
function pictureOf(files) {
  const { file, note } = choosePicture([...(files ?? [])], props.suffixes);
  [told, toldOf] = [note, ""];
  renderNote();
  return file && typedFile(file, props.suffixes);
}

/** @param {Event} event whether it happened in the field itself */
function isInField({ target }) {
  return target instanceof Element && Boolean(target.closest(`#${props.field}`));
}

/** @param {DragEvent} event */
function holdDrag(event) {
  if (!event.dataTransfer?.types.includes("Files") || !visibleField()) return;
  event.preventDefault(); // a browser would leave the page for the file
}

/** @param {DragEvent | ClipboardEvent} event */
function takeFile(event) {
  const given = event instanceof DragEvent ? event.dataTransfer : event.clipboardData;
  const field = visibleField();
  if (!given?.files.length || !field || event.defaultPrevented || isForWords(event)) return;
  event.preventDefault();
  const file = pictureOf(given.files);
  if (file) placeFile(field, file, MOST_LOOKS);
}

/**
 * Whether words are pasted where words go: office programs send a picture of them along.
 * @param {DragEvent | ClipboardEvent} event
 */
function isForWords(event) {
  if (event instanceof DragEvent || !event.clipboardData?.getData("text/plain")) return false;
  return event.target instanceof Element && Boolean(event.target.closest("textarea, input"));
}

/**
 * Gradio's own field refuses files without a type in words that nobody understands, and takes the
 * first of several without a word.
 * @param {DragEvent} event
 */
function dropInField(event) {
  const files = [...(event.dataTransfer?.files ?? [])];
  const isPlain = files.length === 1 && files[0].type.startsWith("image/");
  if (!files.length || isPlain || !isInField(event)) return;
  event.stopPropagation();
  event.target?.dispatchEvent(new DragEvent("dragleave", { bubbles: true })); // its look while dragged
  takeFile(event);
}

/** @param {Event} event of the field's own chooser */
function chooseInField(event) {
  const input = event.target;
  if (!(input instanceof HTMLInputElement) || input.type !== "file" || !isInField(event)) return;
  const [file] = input.files ?? [];
  if (!file || file.type.startsWith("image/")) return;
  event.stopPropagation();
  const field = visibleField();
  const picture = pictureOf(input.files);
  input.value = "";
  if (field && picture) placeFile(field, picture, MOST_LOOKS);
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
document.addEventListener("drop", dropInField, true);
document.addEventListener("change", chooseInField, true);
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
  if (told?.key === "not_a_picture") told = null;
  if (!props.value || props.value.note) unshown = "";
});
renderLive(renderNote);
