// The labels of things, on the canvas: side by side where there is room, in letters of one size.
// In a crowd each is a number alone, and the thing that is looked at has its whole label.

import { emphasis, fadeIn, inkOn } from "./viewer_brush.js";
import {
  CROWD,
  fitLabel,
  isSeen,
  LABEL_HEIGHT,
  LABEL_PADDING,
  labelRoom,
  labelSpot,
  visibleFrame,
} from "./viewer_label_geometry.js";

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
  const frame = visibleFrame(scene.view, scene.picture, scene.area);
  context.font = LABEL_FONT;
  context.textBaseline = "middle";
  const focused = scene.hovered >= 0 ? scene.hovered : scene.selected;
  /** @param {Thing} thing */
  const isOnTop = ({ index }) => Number(index === focused);
  const seen = things.filter(({ box }) => isSeen(box, scene.view, frame));
  for (const thing of seen.sort((a, b) => isOnTop(a) - isOnTop(b))) {
    const isNumber = things.length >= CROWD && thing.index !== focused;
    const room = isNumber ? 0 : labelRoom(frame, thing.index === focused);
    paintLabel(context, thing, scene, { frame, room, taken });
  }
  context.globalAlpha = 1;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Thing} thing
 * @param {PaintedScene} scene
 * @param {{frame: Box, room: number, taken: LabelSpot[]}} place where it may stand, how long it may
 * be, and what labels painted before have taken
 */
function paintLabel(context, thing, scene, { frame, room, taken }) {
  const { view, picture, options } = scene;
  const [x0, , x1] = thing.box;
  if (options.wipe > 0 && (x0 + x1) / 2 < picture.width * options.wipe) return;
  const text = fitLabel(thing, room, (line) => context.measureText(line).width);
  const width = Math.ceil(context.measureText(text).width) + 2 * LABEL_PADDING;
  const spot = labelSpot(thing.box, view, frame, width, taken);
  taken.push(spot);
  context.globalAlpha = emphasis(thing, scene) * fadeIn(thing, scene);
  context.fillStyle = thing.color;
  context.beginPath();
  context.roundRect(spot.x, spot.y, width, LABEL_HEIGHT, 4);
  context.fill();
  context.fillStyle = inkOn(thing.color);
  context.fillText(text, spot.x + LABEL_PADDING, spot.y + LABEL_HEIGHT / 2 + 0.5);
}
