// The drawings of the page "Inside the model": where things lie in them. Knows nothing of canvases.

const NUM_BINS = 1024; // <loc0000> .. <loc1023>
const NUM_CODES = 128; // <seg000> .. <seg127>
const MAX_LEVEL = 255;

/**
 * The probabilities of an edge's places, which come as bytes in base64, 0 to 1.
 * @param {string} text
 */
export function decodeLevels(text) {
  return Array.from(atob(text), (letter) => letter.charCodeAt(0) / MAX_LEVEL);
}

/**
 * The curve of those levels along a side: [along, height] of each, between its two ends.
 * @param {number[]} levels
 * @param {number} side pixels
 * @param {number} height pixels of the level 1
 * @returns {[number, number][]}
 */
export function edgeCurve(levels, side, height) {
  /** @type {[number, number][]} */
  const points = levels.map((level, bin) => [((bin + 0.5) / levels.length) * side, level * height]);
  return [[0, 0], ...points, [side, 0]];
}

/**
 * The middle of a bin along a side.
 * @param {number} bin
 * @param {number} side pixels
 */
export function binOffset(bin, side) {
  return ((bin + 0.5) / NUM_BINS) * side;
}

/**
 * The hue of a mask code in degrees.
 * @param {number} code
 */
export function codeHue(code) {
  return Math.round((code / NUM_CODES) * 360);
}

/**
 * Where a crop lies on its image, as CSS lengths.
 * @param {Box} box parts of the image, 0 to 1
 */
export function cropStyle([x0, y0, x1, y1]) {
  const place = { left: x0, top: y0, width: x1 - x0, height: y1 - y0 };
  return Object.fromEntries(Object.entries(place).map(([name, part]) => [name, `${part * 100}%`]));
}

/**
 * Where a mask lies on its image, as CSS lengths.
 * @param {Box} box y0, x0, y1, x1 in bins
 */
export function maskStyle(box) {
  const [y0, x0, y1, x1] = box.map((bin) => `${(bin / NUM_BINS) * 100}%`);
  return { left: x0, top: y0, width: `calc(${x1} - ${x0})`, height: `calc(${y1} - ${y0})` };
}
