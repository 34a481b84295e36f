// The viewer's canvas, what is shown on it, and the texts of its language.

import { brushOf, find, translator } from "./lib/lib.js";
import { paintScene } from "./viewer_paint.js";

const FADED_IN = 300; // milliseconds after which a new thing no longer changes

export const root = find(element, ".gv");
export const canvas = /** @type {HTMLCanvasElement} */ (find(element, "canvas"));
export const context = brushOf(canvas);
export const translate = translator(["guidance", "viewer", "texts"]);
export const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

/** @type {Scene} */
export const scene = {
  picture: null,
  bitmap: null,
  area: { width: 1, height: 1 },
  ratio: 1,
  view: { scale: 1, x: 0, y: 0 },
  things: [],
  partial: null,
  listed: [],
  isMoving: false,
  hovered: -1,
  selected: -1,
  now: 0,
  still: true,
  options: {
    boxes: true,
    masks: true,
    labels: true,
    opacity: 0.5,
    line: 2,
    wipe: 0,
    score: 0,
    ground: "whole",
  },
};
let isQueued = false;

// Before the next frame, however often it is asked for.
export function repaint() {
  if (isQueued) return;
  isQueued = true;
  requestAnimationFrame(() => {
    isQueued = false;
    scene.now = performance.now();
    scene.still = reducedMotion.matches || scene.isMoving;
    paintScene(context, scene);
    if (!scene.still && scene.things.some((thing) => scene.now - thing.born < FADED_IN)) repaint();
  });
}
