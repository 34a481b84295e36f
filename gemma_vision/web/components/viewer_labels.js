// The labels of things, on the canvas: side by side where there is room, in letters of one size.

import { emphasis, fadeIn, inkOn } from "./viewer_brush.js";
import { LABEL_HEIGHT, labelSpot } from "./viewer_geometry.js";
import { labelText } from "./viewer_text.js";

const LABEL_FONT = "600 12px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

/**
 * The label of the thing that is looked at lies on top.
 * @param {CanvasRenderingContext2D} context
 * @param {Thing[]} things
 * @param {PaintedScene} scene
 */
export function paintLabels(context, things, scene) {
  /** @type {LabelSpot[]} */
  const taken = [];
  context.font = LABEL_FONT;
  context.textBaseline = "middle";
  const last = scene.hovered >= 0 ? scene.hovered : scene.selected;
  const ordered = [...things].sort((a, b) => Number(a.index === last) - Number(b.index === last));
  for (const thing of ordered) paintLabel(context, thing, scene, taken);
  context.globalAlpha = 1;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Thing} thing
 * @param {PaintedScene} scene
 * @param {LabelSpot[]} taken by labels that were painted before
 */
function paintLabel(context, thing, scene, taken) {
  const { view, picture, options } = scene;
  const [x0, , x1] = thing.box;
  if (options.wipe > 0 && (x0 + x1) / 2 < picture.width * options.wipe) return;
  const text = labelText(thing);
  const width = Math.ceil(context.measureText(text).width) + 12;
  const spot = labelSpot(thing.box, view, scene.area, width, taken);
  taken.push(spot);
  context.globalAlpha = emphasis(thing, scene) * fadeIn(thing, scene);
  context.fillStyle = thing.color;
  context.beginPath();
  context.roundRect(spot.x, spot.y, width, LABEL_HEIGHT, 4);
  context.fill();
  context.fillStyle = inkOn(thing.color);
  context.fillText(text, spot.x + 6, spot.y + LABEL_HEIGHT / 2 + 0.5);
}
