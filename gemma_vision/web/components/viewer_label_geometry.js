// Where a label stands and how much of it: within the visible part of the image, beside the others.
// Everything is in CSS pixels of the canvas.

import { formatScore, isolateDirection } from "./lib/format.js";

export const LABEL_HEIGHT = 20;
export const LABEL_PADDING = 6; // on either side of the letters
export const CROWD = 25; // things from which on labels are numbers alone
const LABEL_TRIES = 8; // rows below a box's edge that a label is moved to
const MAX_SHARE = 0.6; // of the image's visible width that a label may take
const MARGIN = 2; // between a label and the image's edge
const ELLIPSIS = "…";

/**
 * The part of the image that is seen.
 * @param {View} view
 * @param {Size} picture
 * @param {Size} area
 * @returns {Box}
 */
export function visibleFrame(view, picture, area) {
  return [
    Math.max(0, view.x),
    Math.max(0, view.y),
    Math.min(area.width, view.x + picture.width * view.scale),
    Math.min(area.height, view.y + picture.height * view.scale),
  ];
}

/**
 * Whether any of a box lies in a frame.
 * @param {Box} box in pixels of the image
 * @param {View} view
 * @param {Box} frame
 */
export function isSeen([x0, y0, x1, y1], view, frame) {
  const isBeside = view.x + x1 * view.scale < frame[0] || view.x + x0 * view.scale > frame[2];
  const isAbove = view.y + y1 * view.scale < frame[1] || view.y + y0 * view.scale > frame[3];
  return !isBeside && !isAbove;
}

/**
 * The most that the letters of a label may take.
 * @param {Box} frame
 * @param {boolean} isFocused the label of the thing that is looked at
 */
export function labelRoom([left, , right], isFocused) {
  const most = (right - left) * (isFocused ? 1 : MAX_SHARE);
  return Math.max(0, most - 2 * (LABEL_PADDING + MARGIN));
}

/**
 * A thing's label: its number, what it is and how sure the model is, in as much room as there is.
 * The name gives way first; what is left is the number.
 * @param {Pick<Thing, "index" | "label" | "score">} thing
 * @param {number} room
 * @param {(text: string) => number} measure
 */
export function fitLabel({ index, label, score }, room, measure) {
  /** @param {string} name */
  const whole = (name) =>
    [`${index + 1}`, isolateDirection(name), formatScore(score)].filter(Boolean).join("  ");
  if (measure(whole(label)) <= room) return whole(label);
  const letters = [...label];
  let [fits, tooMany] = [0, letters.length];
  while (tooMany - fits > 1) {
    const middle = (fits + tooMany) >> 1;
    const isShort = measure(whole(cut(letters, middle))) <= room;
    if (isShort) fits = middle;
    else tooMany = middle;
  }
  return fits ? whole(cut(letters, fits)) : `${index + 1}`;
}

/**
 * @param {string[]} letters
 * @param {number} count of them that stay
 */
function cut(letters, count) {
  return letters.slice(0, count).join("").trimEnd() + ELLIPSIS;
}

/**
 * Above the box, inside it, below it, or as near to that as the other labels leave room; always
 * within the frame.
 * @param {Box} box
 * @param {View} view
 * @param {Box} frame
 * @param {number} width of the label
 * @param {LabelSpot[]} taken by other labels
 * @returns {LabelSpot}
 */
export function labelSpot(box, view, frame, width, taken) {
  const left = view.x + box[0] * view.scale - 1;
  const top = view.y + box[1] * view.scale;
  const bottom = view.y + box[3] * view.scale;
  const x = within(left, frame[0], frame[2] - width);
  const steps = [top - LABEL_HEIGHT - 2, top + 3, bottom + 3, bottom - LABEL_HEIGHT - 3];
  for (let n = 1; n < LABEL_TRIES; n += 1) steps.push(top + 3 + n * (LABEL_HEIGHT + 1));
  const spots = steps.map((y) => ({ x, y: within(y, frame[1], frame[3] - LABEL_HEIGHT), width }));
  return spots.find((spot) => !taken.some((other) => overlaps(spot, other))) ?? spots[0];
}

/**
 * A margin inside two ends; the lower end itself where there is no room for that.
 * @param {number} place
 * @param {number} low
 * @param {number} high
 */
function within(place, low, high) {
  if (high - low < 2 * MARGIN) return Math.max(low, Math.min(low, high));
  return Math.max(low + MARGIN, Math.min(place, high - MARGIN));
}

/**
 * @param {LabelSpot} a
 * @param {LabelSpot} b
 */
function overlaps(a, b) {
  const isBeside = a.x + a.width < b.x || b.x + b.width < a.x;
  return !isBeside && Math.abs(a.y - b.y) <= LABEL_HEIGHT;
}
