// The sizes of the crops' thumbnails.

const HEIGHT = 92; // CSS pixels of a thumbnail; the widest is limited too
const WIDEST = 300;

/**
 * The size in CSS pixels at which a box of the image is shown, in its own proportions.
 * @param {Box} box
 * @returns {Size}
 */
export function thumbnailSize([x0, y0, x1, y1]) {
  const scale = Math.min(HEIGHT / (y1 - y0), WIDEST / (x1 - x0));
  return {
    width: Math.max(1, Math.round((x1 - x0) * scale)),
    height: Math.max(1, Math.round((y1 - y0) * scale)),
  };
}

/**
 * 640 × 480
 * @param {Box} box
 */
export function boxSizeText([x0, y0, x1, y1]) {
  return `${x1 - x0} × ${y1 - y0}`;
}

/**
 * A box of an image where the image is drawn at another size.
 * @param {Box} box
 * @param {Size} from
 * @param {Size} to
 * @returns {[number, number, number, number]} left, top, width, height
 */
export function scaledRect([x0, y0, x1, y1], from, to) {
  const [sx, sy] = [to.width / from.width, to.height / from.height];
  return [x0 * sx, y0 * sy, (x1 - x0) * sx, (y1 - y0) * sy];
}
