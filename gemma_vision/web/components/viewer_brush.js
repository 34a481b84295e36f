// How strongly, with which lines and in which colours the viewer draws.

export const BLACK = "#000000";
export const WHITE = "#ffffff";
const FADED = 0.28; // how much remains of the others while one thing is looked at
const FADE_IN = 250; // milliseconds in which a thing appears

/**
 * How strongly a thing is drawn: whole, or faded while another one is looked at.
 * @param {{index: number}} thing
 * @param {Pick<Scene, "hovered" | "selected">} scene
 */
export function emphasis(thing, { hovered, selected }) {
  const focused = hovered >= 0 ? hovered : selected;
  return focused < 0 || focused === thing.index ? 1 : FADED;
}

/**
 * A thing that has just arrived fades in.
 * @param {{born: number}} thing
 * @param {Pick<Scene, "now" | "still">} scene
 */
export function fadeIn(thing, { now, still }) {
  return still ? 1 : Math.min(1, (now - thing.born) / FADE_IN);
}

/**
 * A dash whose parts keep their size on screen.
 * @param {number[]} dash CSS pixels
 * @param {Scene} scene
 */
export function scaledDash(dash, scene) {
  return dash.map((length) => length / scene.view.scale);
}

/**
 * A line upon a darker and wider one, so that it is seen on every ground.
 * @param {CanvasRenderingContext2D} context
 * @param {Scene} scene
 * @param {[string, number][]} strokes colour and width in CSS pixels
 * @param {() => void} stroke
 */
export function strokeTwice(context, scene, strokes, stroke) {
  for (const [color, width] of strokes) {
    context.strokeStyle = color;
    context.lineWidth = width / scene.view.scale;
    stroke();
  }
}

/**
 * Black or white, whichever reads better on a colour (relative luminance, WCAG 2).
 * @param {string} color "#rrggbb"
 */
export function inkOn(color) {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const c = parseInt(color.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? BLACK : WHITE;
}
