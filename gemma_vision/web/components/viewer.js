// The viewer: takes what arrives into the scene, and writes what stands around the canvas.
// Mouse, finger and keyboard are in viewer_input.js.

import { formatScore } from "./lib/format.js";
import { find, make, noteText } from "./lib/lib.js";
import { neighbourOf } from "./viewer_geometry.js";
import { renderGuidance } from "./viewer_guidance.js";
import { markRow, renderLegend, renderTable, renderTokens } from "./viewer_panel.js";
import { canvas, reducedMotion, repaint, root, scene, translate } from "./viewer_scene.js";
import { setSlider } from "./viewer_sliders.js";
import { followForm, isFromBefore } from "./viewer_stale.js";
import { groupLabels, joinSentences, statusText, summaryText } from "./viewer_text.js";
import { newThing, outline } from "./viewer_things.js";
import { resize } from "./viewer_zoom.js";

const NARROW = 820; // CSS pixels of a page on which the result stands under the form

const body = /** @type {HTMLTableSectionElement} */ (find(element, "tbody"));
const tokens = /** @type {HTMLDetailsElement} */ (find(element, ".tokens"));
const announcer = find(element, ".heard");

/** @type {ViewerValue | null} */
export let value = null;
/** @type {Set<string>} */
const hiddenLabels = new Set();
/** @type {Set<number>} */
const hiddenThings = new Set(); // by index
/** @type {string | null} */
let currentRun = null; // changes with every new run: a fresh view, nothing selected
/** @type {string | null} */
let address = null; // of the image that is loaded or loading
let isLeftOutShown = false;

/** @param {ViewerValue | null} newest what is shown from now on */
export function setValue(newest) {
  value = newest;
}

export function renderValue() {
  if (scene.isMoving) return; // a camera's pictures come another way
  setValue(props.value);
  root.dataset.state = value ? value.status.state : "idle";
  root.classList.toggle("no-picture", !value?.image);
  if (!value) return clear();
  const isNew = value.run !== currentRun;
  if (isNew) startRun(value.run);
  if (value.image) loadPicture(value.image);
  else Object.assign(scene, { picture: null, bitmap: null });
  updateThings(value);
  renderTexts(value);
  repaint();
  if (isNew && value.image) scrollToResult();
}

// On a narrow page the result stands under the form; a new one is scrolled to.
function scrollToResult() {
  const { top } = root.getBoundingClientRect();
  if (innerWidth <= NARROW && (top < 0 || top > innerHeight * 0.3))
    root.scrollIntoView({ behavior: reducedMotion.matches ? "auto" : "smooth", block: "start" });
}

function clear() {
  startRun(null);
  Object.assign(scene, { picture: null, bitmap: null, things: [], partial: null });
  address = null;
  repaint();
}

/** @param {string | null} run */
export function startRun(run) {
  currentRun = run;
  root.dataset.run = run ?? "";
  isLeftOutShown = false;
  hiddenLabels.clear();
  hiddenThings.clear();
  Object.assign(scene, { hovered: -1, selected: -1, things: [], listed: [] });
  setSlider("wipe", 0);
  setSlider("score", 0);
}

/** @param {ImageEntry} image */
function loadPicture(image) {
  const { width, height } = image;
  const next = image.file ? image.file.url : `${width} x ${height}`; // a pasted answer has no file
  const hasChanged = !scene.picture || next !== address;
  scene.picture = { width, height };
  if (!hasChanged) return;
  scene.bitmap = null;
  address = next;
  resize(true);
  if (image.file) loadBitmap(next);
}

// What arrives when another image has taken its place is dropped.
/** @param {string} url */
function loadBitmap(url) {
  const bitmap = new Image();
  bitmap.onload = () => {
    if (address !== url) return;
    scene.bitmap = bitmap;
    root.dataset.loaded = "";
    repaint();
  };
  delete root.dataset.loaded;
  bitmap.src = url;
}

/** @param {Pick<ViewerValue, "instances" | "left_out" | "partial">} value */
export function updateThings({ instances, left_out: leftOut, partial }) {
  const now = performance.now();
  const shown = isLeftOutShown ? [...instances, ...leftOut] : instances;
  scene.things = shown.map((instance, index) => {
    const before = scene.things[index];
    const isSame = before && before.source === JSON.stringify(instance);
    return isSame ? before : newThing(instance, index, before ? before.born : now);
  });
  scene.partial = partial && partial.y0 !== null ? { ...partial, path: outline(partial) } : null;
  applyFilters();
}

// What the legend, the rows and the score slider leave.
export function applyFilters() {
  for (const thing of scene.things) {
    const isSure = thing.score === null || thing.score >= scene.options.score;
    thing.isHidden = hiddenThings.has(thing.index);
    thing.isVisible = isSure && !thing.isHidden && !hiddenLabels.has(thing.label);
  }
}

/** @param {ViewerValue} value */
function renderTexts(value) {
  const isRunning = value.status.state === "running";
  const status = renderStatus(value);
  const notes = value.notes.map((note) => noteText(note));
  const lines = (value.guidance ?? []).filter((one) => !isLeftOutShown || one.say !== "left_out");
  renderGuidance(lines, Boolean(value.status.is_demo), bringBack);
  find(element, ".notes").replaceChildren(...notes.map((text) => make("li", { text })));
  find(element, ".said p").textContent = value.words;
  root.classList.toggle("has-words", Boolean(value.words));
  find(element, ".thought summary").textContent = translate("thought");
  find(element, ".thought p").textContent = value.thought;
  const { things } = scene;
  root.classList.toggle("has-things", things.length > 0);
  root.classList.toggle("has-masks", Boolean(things.find((thing) => thing.path)));
  root.classList.toggle("has-scores", Boolean(things.find((thing) => thing.score !== null)));
  root.classList.toggle("has-text", Boolean(value.text));
  if (tokens.open || !isRunning) renderOwnWords();
  canvas.setAttribute("aria-label", summaryText(value, translate));
  root.dataset.count = String(scene.things.length);
  renderLists();
  const said = [...element.querySelectorAll(".guidance span")].map((node) => node.textContent);
  if (!isRunning) announcer.textContent = joinSentences([status, ...said, ...notes]);
}

/** @param {ViewerValue} value */
function renderStatus(value) {
  const isOld = isFromBefore(value.status);
  const status = statusText(value, translate);
  root.classList.toggle("stale", isOld);
  find(element, ".facts").textContent = isOld ? `${translate("stale")} · ${status}` : status;
  return status;
}

// What was found and left out is there already: nobody asks the model again.
function bringBack() {
  if (!value) return;
  isLeftOutShown = true;
  updateThings(value);
  renderTexts(value);
  canvas.focus();
  repaint();
}

export function renderOwnWords() {
  if (value) renderTokens(find(tokens, "pre"), value.text);
}

export function renderLists() {
  renderLegend(find(element, ".legend"), listedLabels(), hiddenLabels, toggleLabel, translate);
  const listeners = { select: toggleSelected, hover, hide: toggleHidden };
  renderTable(body, scene.things, listeners, translate);
  markRow(body, scene.selected);
}

// ---- looking at one thing ----------------------------------------------------------------

/** @param {number} index of a thing, or -1 */
export function hover(index) {
  if (scene.hovered === index) return;
  scene.hovered = index;
  for (const [i, row] of [...body.rows].entries()) row.classList.toggle("hovered", i === index);
  repaint();
}

/** @param {number} index of a thing, or -1 */
export function select(index) {
  scene.selected = index;
  markRow(body, index);
  root.dataset.selected = String(index);
  const thing = scene.things[index];
  if (thing) announcer.textContent = `${index + 1} ${thing.label} ${formatScore(thing.score)}`;
  repaint();
}

/** @param {number} index */
export function toggleSelected(index) {
  select(scene.selected === index ? -1 : index);
}

/** @param {1 | -1} step */
export function selectNext(step) {
  const next = neighbourOf(scene.things, scene.selected, step);
  if (next >= 0) select(next);
}

/** @param {number} index of a thing; -1 hides nothing */
export function toggleHidden(index) {
  if (index < 0) return;
  if (!hiddenThings.delete(index)) hiddenThings.add(index);
  applyFilters();
  renderLists();
  repaint();
}

// Labels that are listed stay so while nothing bears them.
function listedLabels() {
  return groupLabels(scene.things, scene.listed);
}

/** @param {string} label */
function toggleLabel(label) {
  if (!hiddenLabels.delete(label)) hiddenLabels.add(label);
  const at = listedLabels().findIndex((group) => group.label === label);
  applyFilters();
  renderLists();
  const chip = find(element, ".legend").children[at];
  if (chip instanceof HTMLElement) chip.focus();
  repaint();
}

if (props.empty) find(element, ".empty p").dataset.say = props.empty; // where it is not the usual
if (props.follows) followForm(props.follows, () => value && renderStatus(value));
tokens.addEventListener("toggle", renderOwnWords);
