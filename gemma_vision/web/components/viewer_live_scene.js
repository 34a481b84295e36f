// What is known of the camera that a viewer shows, and what is written of it around the picture.

import { find, make, translator } from "./lib/lib.js";
import { renderLists } from "./viewer.js";
import { FrameRate, rateText } from "./viewer_live_rate.js";
import { canvas, root, scene } from "./viewer_scene.js";
import { objectsText, summaryText } from "./viewer_text.js";

const FIRST_SIDE = 384; // pixels of a frame's longer side, until the app says what is of use
const WRITTEN = 250; // milliseconds between two writings of the texts
const SPOKEN = 4000; // and between two that are read aloud

export const panel = find(element, ".live");
export const video = /** @type {HTMLVideoElement} */ (find(panel, "video"));
export const say = translator(["live", "viewer", "texts"]);
const note = find(panel, ".live-note");
const facts = find(element, ".facts");
const heard = find(element, ".heard");

/** @type {LiveCamera} */
export const live = {
  page: [...crypto.getRandomValues(new Uint8Array(8))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join(""),
  form: { ...props.form },
  stream: null,
  running: new AbortController(),
  rate: new FrameRate(),
  side: FIRST_SIDE,
  found: [],
  frames: [make("canvas"), make("canvas")],
};
live.running.abort(); // no camera is on

/** @type {() => string} */
let sentence = () => ""; // what stands under the picture
let isBad = false;
let [writtenAt, spokenAt] = [0, 0];

/** @param {string} name */
export function button(name) {
  return /** @type {HTMLButtonElement} */ (find(panel, `.live-${name}`));
}

/**
 * What stands under the picture, in the language of the moment.
 * @param {() => string} text
 * @param {boolean} [isError]
 */
export function tell(text, isError = false) {
  [sentence, isBad] = [text, isError];
  renderNote();
}

function renderNote() {
  const text = sentence();
  if (note.textContent !== text) note.textContent = text; // each change is read aloud
  note.classList.toggle("bad", isBad);
}

/** @param {LiveState["name"]} name */
export function setState(name) {
  const isOff = name === "off";
  panel.dataset.state = name;
  root.dataset.state = name === "on" ? "running" : scene.bitmap ? "stopped" : "idle";
  const had = document.activeElement;
  button("start").hidden = !isOff;
  button("stop").hidden = isOff;
  button("freeze").disabled = !scene.bitmap;
  if (had === button("start") || had === button("stop")) button(isOff ? "start" : "stop").focus();
  writeTexts();
}

// Not at every frame: the page has other things to draw.
export function writeTextsSoon() {
  if (performance.now() - writtenAt > WRITTEN) writeTexts();
}

export function writeTexts() {
  const { rate } = live;
  writtenAt = performance.now();
  const name = { on: "live", asking: "asking", off: "stopped" }[panel.dataset.state ?? "off"];
  const parts = [say(`state_${name}`)];
  if (rate.count) parts.push(objectsText(scene.things.length, say), rateText(rate, say));
  facts.textContent = parts.filter(Boolean).join(" · ");
  Object.assign(panel.dataset, { frames: rate.count, fps: rate.perSecond.toFixed(2) });
  panel.dataset.delay = rate.delay.toFixed(0);
  root.dataset.count = String(scene.things.length);
  const has = { "has-things": scene.things.length, "has-masks": scene.things.find(hasMask) };
  for (const [mark, is] of Object.entries(has)) root.classList.toggle(mark, Boolean(is));
  if (scene.things.length) root.classList.add("was-seen", "has-scores");
  renderLists();
  speakSummary();
  renderNote();
}

/** @param {Thing} thing */
function hasMask({ path }) {
  return Boolean(path);
}

// Whoever listens hears what is in the picture when that has changed, and not too often.
function speakSummary() {
  const summary = summaryText({ instances: scene.things }, say);
  canvas.setAttribute("aria-label", summary);
  if (writtenAt - spokenAt < SPOKEN || heard.textContent === summary || !live.rate.count) return;
  heard.textContent = summary;
  spokenAt = writtenAt;
}
