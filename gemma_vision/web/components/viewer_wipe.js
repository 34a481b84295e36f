// The wipe line, as numbers, and sliders' values as people read them. Knows nothing of the page.

const LEAST = 0.01; // of the width: nearer to the edge there is no line

/**
 * Where the wipe line stands on the canvas.
 * @param {View} view
 * @param {Size} picture
 * @param {number} wipe 0 to 1
 */
export function wipeX(view, picture, wipe) {
  return view.x + picture.width * wipe * view.scale;
}

/**
 * The share of the image that lies left of a point of the canvas; 0 at its edge.
 * @param {View} view
 * @param {Size} picture
 * @param {Point} point
 */
export function wipeAt(view, picture, { x }) {
  const share = (x - view.x) / (picture.width * view.scale);
  const part = Math.max(0, Math.min(share, 1));
  return part < LEAST ? 0 : Math.round(part * 1000) / 1000;
}

/**
 * Whether a press at that point takes hold of the line.
 * @param {View} view
 * @param {Size} picture
 * @param {number} wipe
 * @param {Point} point
 * @param {number} slack CSS pixels
 */
export function isOnWipe(view, picture, wipe, { x }, slack) {
  return wipe > 0 && Math.abs(x - wipeX(view, picture, wipe)) <= slack;
}

/**
 * A slider's value: "2.5 px" for the line, whole percents for the others.
 * @param {SliderName} name
 * @param {number} value
 */
export function sliderText(name, value) {
  return name === "line" ? `${value} px` : `${Math.round(value * 100)}%`;
}
