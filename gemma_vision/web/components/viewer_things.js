// Instances as the viewer draws them.

import { smoothOutline } from "./viewer_outline.js";
import { scene } from "./viewer_scene.js";

/**
 * @param {Instance} instance
 * @param {number} index
 * @param {number} born
 * @returns {Thing}
 */
export function newThing(instance, index, born) {
  const { label, color, score, box, point = null, only = false, unasked = false } = instance;
  const source = JSON.stringify(instance);
  const path = outline(instance);
  const shown = { isHidden: false, isVisible: true };
  return { index, label, color, score, only, unasked, born, path, box, point, ...shown, source };
}

/**
 * The outline of a mask comes as the data of an SVG path.
 * @param {{path?: string | null}} data
 */
export function outline({ path }) {
  return path && scene.picture ? new Path2D(smoothOutline(path, scene.picture)) : null;
}
