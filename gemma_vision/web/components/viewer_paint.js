// The viewer's drawing: the image, masks, boxes, labels and the record that is being written now.
// Everything is drawn in image coordinates; line widths and letters keep their size on screen.

import { emphasis, fadeIn, scaledDash, strokeTwice, WHITE } from "./viewer_brush.js";
import { partialPath } from "./viewer_geometry.js";
import { visibleFrame } from "./viewer_label_geometry.js";
import { paintLabels } from "./viewer_labels.js";
import { wipeX } from "./viewer_wipe.js";

const HANDLE = 11; // CSS pixels from the middle of the wipe line's handle to its edge
const DOT = 2; // widths of a line from the middle of a point's dot to its edge

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Scene} scene
 */
export function paintScene(context, scene) {
  const { area, picture, ratio } = scene;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, area.width, area.height);
  if (!picture) return;
  const painted = { ...scene, picture };
  const things = scene.things.filter((thing) => thing.isVisible);
  context.save();
  paintInPicture(context, painted, things);
  context.restore();
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  if (scene.options.labels) paintLabels(context, things, painted);
  if (scene.options.wipe > 0) paintWipe(context, painted);
}

/**
 * What moves with the image.
 * @param {CanvasRenderingContext2D} context
 * @param {PaintedScene} scene
 * @param {Thing[]} things
 */
function paintInPicture(context, scene, things) {
  const { view, ratio, picture, bitmap, options } = scene;
  const scale = ratio * view.scale;
  context.setTransform(scale, 0, 0, scale, ratio * view.x, ratio * view.y);
  context.imageSmoothingQuality = "high";
  if (bitmap) context.drawImage(bitmap, 0, 0, picture.width, picture.height);
  else paintBlank(context, picture);
  clipToWipe(context, scene);
  if (options.ground !== "whole" && bitmap) paintGround(context, things, scene, bitmap);
  const hasTint = options.masks && options.ground !== "cut"; // what is cut out shows as it is
  if (hasTint) for (const thing of things) paintMask(context, thing, scene);
  for (const thing of things) paintPlace(context, thing, scene);
  if (scene.partial) paintPartial(context, scene.partial, scene);
}

/**
 * While the image loads, and where an answer came without one.
 * @param {CanvasRenderingContext2D} context
 * @param {Size} picture
 */
function paintBlank(context, picture) {
  context.fillStyle = "rgba(128, 140, 160, 0.25)";
  context.fillRect(0, 0, picture.width, picture.height);
}

/**
 * The part left of the wipe line shows the image alone.
 * @param {CanvasRenderingContext2D} context
 * @param {PaintedScene} scene
 */
function clipToWipe(context, { options, picture }) {
  if (!(options.wipe > 0)) return;
  const from = picture.width * options.wipe;
  context.beginPath();
  context.rect(from, 0, picture.width - from, picture.height);
  context.clip();
}

/**
 * Everything but the things: darker, out of focus or gone; then the things as they are.
 * @param {CanvasRenderingContext2D} context
 * @param {Thing[]} things
 * @param {PaintedScene} scene
 * @param {CanvasImageSource} bitmap
 */
function paintGround(context, things, { picture, options, view, ratio }, bitmap) {
  const { width, height } = picture;
  context.save();
  if (options.ground === "cut") context.clearRect(0, 0, width, height);
  if (options.ground === "dim") {
    context.fillStyle = "rgba(0, 0, 0, 0.7)";
    context.fillRect(0, 0, width, height);
  }
  if (options.ground === "blur") {
    const radius = Math.max(2, (Math.max(width, height) / 90) * view.scale * ratio);
    context.filter = `blur(${radius}px)`;
    context.drawImage(bitmap, 0, 0, width, height);
    context.filter = "none";
  }
  context.clip(outlineOfAll(things));
  context.drawImage(bitmap, 0, 0, width, height);
  context.restore();
}

/** @param {Thing[]} things */
function outlineOfAll(things) {
  const shapes = new Path2D();
  for (const { path, box } of things) {
    if (path) shapes.addPath(path);
    else shapes.rect(box[0], box[1], box[2] - box[0], box[3] - box[1]);
  }
  return shapes;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {PaintedScene} scene
 */
function paintWipe(context, { options, picture, view, area }) {
  const x = wipeX(view, picture, options.wipe);
  const [, top, , bottom] = visibleFrame(view, picture, area);
  const middle = (top + bottom) / 2;
  context.fillStyle = WHITE;
  context.fillRect(x - 1, top, 2, bottom - top);
  context.beginPath();
  context.arc(x, middle, HANDLE, 0, 2 * Math.PI);
  context.fill();
  context.strokeStyle = "#334155";
  context.lineWidth = 2;
  context.stroke(new Path2D(`M${x - 3} ${middle - 4}l-4 4 4 4M${x + 3} ${middle - 4}l4 4-4 4`));
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Pick<Thing, "index" | "path" | "color" | "born">} thing
 * @param {Scene} scene
 */
function paintMask(context, thing, scene) {
  if (!thing.path) return;
  const { opacity } = scene.options;
  context.globalAlpha = opacity * emphasis(thing, scene) * fadeIn(thing, scene);
  context.fillStyle = thing.color;
  context.fill(thing.path, "evenodd");
  context.globalAlpha = Math.min(1, opacity * 2) * emphasis(thing, scene);
  context.strokeStyle = thing.color;
  context.lineWidth = 1.5 / scene.view.scale;
  context.lineJoin = "round";
  context.stroke(thing.path);
  context.globalAlpha = 1;
}

/**
 * A box, or a dot where the thing is a point.
 * @param {CanvasRenderingContext2D} context
 * @param {Thing} thing
 * @param {Scene} scene
 */
function paintPlace(context, thing, scene) {
  const isFocused = scene.hovered === thing.index || scene.selected === thing.index;
  if (!scene.options.boxes && !isFocused) return;
  if (thing.point) paintDot(context, thing, thing.point, scene);
  else paintBox(context, thing, scene, isFocused);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Thing} thing
 * @param {[number, number]} point
 * @param {Scene} scene
 */
function paintDot(context, thing, [x, y], scene) {
  context.globalAlpha = emphasis(thing, scene) * fadeIn(thing, scene);
  for (const [color, radius] of /** @type {[string, number][]} */ ([
    ["rgba(0, 0, 0, 0.45)", DOT * scene.options.line + 1],
    [thing.color, DOT * scene.options.line],
  ])) {
    context.fillStyle = color;
    context.beginPath();
    context.arc(x, y, radius / scene.view.scale, 0, 2 * Math.PI);
    context.fill();
  }
  context.globalAlpha = 1;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Thing} thing
 * @param {Scene} scene
 * @param {boolean} isFocused
 */
function paintBox(context, thing, scene, isFocused) {
  const [x0, y0, x1, y1] = thing.box;
  const width = scene.options.line * (isFocused ? 1.6 : 1);
  context.globalAlpha = emphasis(thing, scene) * fadeIn(thing, scene);
  context.setLineDash(thing.only ? scaledDash([9, 6], scene) : []);
  strokeTwice(
    context,
    scene,
    [
      ["rgba(0, 0, 0, 0.45)", width + 2],
      [thing.color, width],
    ],
    () => context.strokeRect(x0, y0, x1 - x0, y1 - y0),
  );
  context.setLineDash([]);
  context.globalAlpha = 1;
}

/**
 * The record being written, with as many edges as are known.
 * @param {CanvasRenderingContext2D} context
 * @param {PartialThing} partial
 * @param {PaintedScene} scene
 */
function paintPartial(context, partial, scene) {
  const path = new Path2D(partialPath(partial, scene.picture));
  const isDashed = partial.x0 === null || partial.x1 !== null;
  context.lineCap = "round";
  context.setLineDash(isDashed ? scaledDash([7, 5], scene) : []);
  strokeTwice(
    context,
    scene,
    [
      ["rgba(0, 0, 0, 0.5)", 4.5],
      [WHITE, 2.5],
    ],
    () => context.stroke(path),
  );
  context.setLineDash([]);
  if (partial.path)
    paintMask(context, { index: -1, path: partial.path, color: WHITE, born: 0 }, scene);
}
