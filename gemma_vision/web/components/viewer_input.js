// The viewer's input: pointer, wheel, keys, buttons and sliders. Runs last.

import { find, onLanguage, renderLive } from "./lib/lib.js";
import {
  hover,
  renderValue,
  select,
  selectNext,
  toggleHidden,
  toggleSelected,
  value,
} from "./viewer.js";
import "./viewer_controls.js";
import { pinchZoom, smallestAt, toPicture } from "./viewer_geometry.js";
import { copyText } from "./viewer_panel.js";
import { savePicture } from "./viewer_save.js";
import { canvas, context, repaint, root, scene, translate } from "./viewer_scene.js";
import { setSlider } from "./viewer_sliders.js";
import { isOnWipe, wipeAt } from "./viewer_wipe.js";
import { panBy, zoomBy, zoomToFit } from "./viewer_zoom.js";

const ZOOM_STEP = 1.5;
const DRAG = 5; // CSS pixels that a press may move and still be a click
const MOUSE_SLACK = 2; // CSS pixels around a box that still count
const FINGER_SLACK = 8;
const LINE_SLACK = 10; // CSS pixels beside the wipe line that take hold of it

/** @type {Map<number, Point>} */
const pointers = new Map(); // pointer id -> the last point
/** @type {Point | null} */
let pressed = null; // where a press began, until it becomes a drag
let isWiping = false; // the wipe line is being dragged

/** @param {MouseEvent} event */
function pointOf(event) {
  const frame = canvas.getBoundingClientRect();
  return { x: event.clientX - frame.left, y: event.clientY - frame.top };
}

/**
 * @param {Point} point of the canvas
 * @param {number} slack CSS pixels
 */
function thingAt(point, slack) {
  if (!scene.picture) return -1;
  const { x, y } = toPicture(scene.view, point);
  context.setTransform(1, 0, 0, 1, 0, 0);
  /** @param {Path2D} path */
  const isInPath = (path) => context.isPointInPath(path, x, y, "evenodd");
  return smallestAt(scene.things, { x, y }, slack / scene.view.scale, isInPath);
}

function isZoomed() {
  return root.classList.contains("zoomed");
}

/** @param {Point} point */
function isOnLine(point) {
  const { picture, view, options } = scene;
  return Boolean(picture && isOnWipe(view, picture, options.wipe, point, LINE_SLACK));
}

/** @param {Point} point */
function wipeTo(point) {
  if (scene.picture) setSlider("wipe", wipeAt(scene.view, scene.picture, point));
  repaint();
}

canvas.addEventListener("pointerdown", (event) => {
  isWiping = pointers.size === 0 && isOnLine(pointOf(event));
  if (isWiping) {
    canvas.setPointerCapture(event.pointerId);
    return;
  }
  pointers.set(event.pointerId, pointOf(event));
  pressed = pointers.size === 1 ? pointOf(event) : null;
  if (isZoomed() || pointers.size > 1) canvas.setPointerCapture(event.pointerId);
});

canvas.addEventListener("pointermove", (event) => {
  const point = pointOf(event);
  if (isWiping) {
    wipeTo(point);
    return;
  }
  root.classList.toggle("on-line", isOnLine(point));
  const before = pointers.get(event.pointerId);
  if (!before) {
    if (event.pointerType === "mouse") hover(thingAt(point, MOUSE_SLACK));
    return;
  }
  if (pressed && Math.hypot(point.x - pressed.x, point.y - pressed.y) > DRAG) pressed = null;
  if (pointers.size === 2) pinch(event.pointerId, before, point);
  else if (!pressed && isZoomed()) panBy({ x: point.x - before.x, y: point.y - before.y });
  pointers.set(event.pointerId, point);
});

/**
 * @param {number} id of the pointer that moved
 * @param {Point} before
 * @param {Point} after
 */
function pinch(id, before, after) {
  const other = [...pointers].find(([key]) => key !== id);
  if (!other) return;
  const { factor, middle } = pinchZoom(before, after, other[1]);
  zoomBy(factor, middle);
}

canvas.addEventListener("pointerup", (event) => {
  isWiping = false;
  const slack = event.pointerType === "mouse" ? MOUSE_SLACK : FINGER_SLACK;
  if (pressed) toggleSelected(thingAt(pointOf(event), slack));
  pressed = null;
  pointers.delete(event.pointerId);
});
canvas.addEventListener("pointercancel", (event) => {
  isWiping = false;
  pressed = null;
  pointers.delete(event.pointerId);
});
canvas.addEventListener("pointerleave", () => hover(-1));
canvas.addEventListener("dblclick", (event) =>
  isZoomed() ? zoomToFit() : zoomBy(2.5, pointOf(event)),
);
canvas.addEventListener(
  "wheel",
  (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // a plain wheel scrolls the page
    event.preventDefault();
    zoomBy(Math.exp(-event.deltaY * 0.01), pointOf(event));
  },
  { passive: false },
);

/** @type {Record<string, () => void>} */
const KEYS = {
  ArrowRight: () => selectNext(1),
  ArrowDown: () => selectNext(1),
  ArrowLeft: () => selectNext(-1),
  ArrowUp: () => selectNext(-1),
  Escape: () => select(-1),
  h: () => toggleHidden(scene.selected),
  "+": () => zoomBy(ZOOM_STEP),
  "=": () => zoomBy(ZOOM_STEP),
  "-": () => zoomBy(1 / ZOOM_STEP),
  0: zoomToFit,
};
canvas.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key]();
});

/** @type {Record<string, (button: HTMLElement) => void>} */
const ACTIONS = {
  zoom_in: () => zoomBy(ZOOM_STEP),
  zoom_out: () => zoomBy(1 / ZOOM_STEP),
  zoom_fit: zoomToFit,
  copy_said: (button) => copyText(value?.words ?? "", button, translate),
  copy_tokens: (button) => copyText(value?.text ?? "", button, translate),
  save: savePicture,
};

/** @type {(selector: string) => HTMLElement[]} */
const findAll = (selector) =>
  [...element.querySelectorAll(selector)].map((node) => /** @type {HTMLElement} */ (node));

for (const button of findAll("[data-do]")) {
  const name = button.dataset.do ?? "";
  button.addEventListener("click", () => ACTIONS[name](button));
}

const NAMES = {
  ".rows": "instances",
  ".legend": "legend",
  ".switches": "show",
  ".tokens pre": "tokens_title",
};

function renderWords() {
  for (const node of findAll("[data-say]")) node.textContent = translate(node.dataset.say ?? "");
  for (const button of findAll("[data-do]:not([data-say])"))
    button.setAttribute("aria-label", translate(button.dataset.do ?? ""));
  for (const [selector, key] of Object.entries(NAMES))
    find(element, selector).setAttribute("aria-label", translate(key));
}

onLanguage(renderWords);
renderWords();
renderLive(renderValue);
