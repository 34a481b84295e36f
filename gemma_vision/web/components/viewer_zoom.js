// The size of the viewer's canvas, and which part of the image is seen on it.

import { find } from "./lib/lib.js";
import { canvasSize, fitView, isFitted, panView, zoomView } from "./viewer_geometry.js";
import { canvas, repaint, root, scene } from "./viewer_scene.js";

const stage = find(element, ".stage");

/** @param {boolean} refit whether the view starts over even at the same size */
export function resize(refit) {
  const { picture } = scene;
  if (!picture) return;
  const area = canvasSize(picture, Math.max(1, stage.clientWidth), innerHeight);
  const ratio = devicePixelRatio || 1;
  const isSame = area.width === scene.area.width && area.height === scene.area.height;
  if (isSame && ratio === scene.ratio && !refit) return;
  Object.assign(scene, { area, ratio });
  canvas.style.height = `${area.height}px`;
  canvas.width = Math.round(area.width * ratio);
  canvas.height = Math.round(area.height * ratio);
  setView(fitView(picture, area));
}

/** @param {View} view */
function setView(view) {
  scene.view = view;
  const isWhole = !scene.picture || isFitted(view, scene.picture, scene.area);
  root.classList.toggle("zoomed", !isWhole);
  repaint();
}

export function zoomToFit() {
  if (scene.picture) setView(fitView(scene.picture, scene.area));
}

/**
 * @param {number} factor
 * @param {Point} [point] that stays where it is; else the middle
 */
export function zoomBy(factor, point) {
  const { view, picture, area } = scene;
  const middle = { x: area.width / 2, y: area.height / 2 };
  if (picture) setView(zoomView(view, picture, area, point ?? middle, factor));
}

/** @param {Point} by CSS pixels */
export function panBy(by) {
  const { view, picture, area } = scene;
  if (picture) setView(panView(view, picture, area, by));
}

new ResizeObserver(() => resize(false)).observe(stage);
