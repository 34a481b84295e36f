// The viewer's geometry: where the image lies on the canvas, and what lies under a point.
// A view is {scale, x, y}: canvas = image * scale + (x, y), in CSS pixels.

const MAX_ZOOM = 16;
const MIN_HEIGHT = 240; // CSS pixels that the canvas may always take
const MAX_HEIGHT = 760;
const PAGE_SHARE = 0.6; // of the window's height, between those two

/**
 * The canvas's size for an image: as wide as there is room, not so high that it hides the page.
 * @param {Size} picture
 * @param {number} width CSS pixels that there are
 * @param {number} windowHeight
 * @returns {Size}
 */
export function canvasSize(picture, width, windowHeight) {
  const most = Math.max(MIN_HEIGHT, Math.min(windowHeight * PAGE_SHARE, MAX_HEIGHT));
  return { width, height: Math.round(Math.min((width * picture.height) / picture.width, most)) };
}

/**
 * The view of the whole image, centred.
 * @param {Size} picture
 * @param {Size} area of the canvas
 * @returns {View}
 */
export function fitView(picture, area) {
  const scale = Math.min(area.width / picture.width, area.height / picture.height);
  return {
    scale,
    x: (area.width - picture.width * scale) / 2,
    y: (area.height - picture.height * scale) / 2,
  };
}

/**
 * A point of the canvas as a point of the image.
 * @param {View} view
 * @param {Point} point
 * @returns {Point}
 */
export function toPicture(view, point) {
  return { x: (point.x - view.x) / view.scale, y: (point.y - view.y) / view.scale };
}

/**
 * Zoom by a factor about a point that stays where it is; never smaller than the whole image.
 * @param {View} view
 * @param {Size} picture
 * @param {Size} area
 * @param {Point} point
 * @param {number} factor
 * @returns {View}
 */
export function zoomView(view, picture, area, point, factor) {
  const fit = fitView(picture, area);
  const scale = Math.min(Math.max(view.scale * factor, fit.scale), fit.scale * MAX_ZOOM);
  const fixed = toPicture(view, point);
  const moved = { scale, x: point.x - fixed.x * scale, y: point.y - fixed.y * scale };
  return clampView(moved, picture, area);
}

/**
 * Move the view.
 * @param {View} view
 * @param {Size} picture
 * @param {Size} area
 * @param {Point} by
 * @returns {View}
 */
export function panView(view, picture, area, by) {
  return clampView({ ...view, x: view.x + by.x, y: view.y + by.y }, picture, area);
}

/**
 * No empty margin where the image is larger than the area; centred where it is smaller.
 * @param {View} view
 * @param {Size} picture
 * @param {Size} area
 * @returns {View}
 */
export function clampView(view, picture, area) {
  /** @type {(offset: number, size: number, room: number) => number} */
  const along = (offset, size, room) =>
    size <= room ? (room - size) / 2 : Math.min(0, Math.max(room - size, offset));
  return {
    scale: view.scale,
    x: along(view.x, picture.width * view.scale, area.width),
    y: along(view.y, picture.height * view.scale, area.height),
  };
}

/**
 * Whether the whole image is seen.
 * @param {View} view
 * @param {Size} picture
 * @param {Size} area
 */
export function isFitted(view, picture, area) {
  return view.scale <= fitView(picture, area).scale * 1.001;
}

/**
 * What two fingers ask for when one of them has moved: a factor, about the point between them.
 * @param {Point} before
 * @param {Point} after
 * @param {Point} other the finger that rests
 */
export function pinchZoom(before, after, other) {
  /** @param {Point} point */
  const gap = (point) => Math.max(1, Math.hypot(point.x - other.x, point.y - other.y));
  const middle = { x: (after.x + other.x) / 2, y: (after.y + other.y) / 2 };
  return { factor: gap(after) / gap(before), middle };
}

/** @param {Box} box */
function boxArea(box) {
  return Math.max(0, box[2] - box[0]) * Math.max(0, box[3] - box[1]);
}

/**
 * @param {Box} box
 * @param {Point} point
 * @param {number} slack pixels around the box that still count
 */
export function isInBox([x0, y0, x1, y1], { x, y }, slack) {
  return x >= x0 - slack && x <= x1 + slack && y >= y0 - slack && y <= y1 + slack;
}

/**
 * The index of the smallest visible thing under a point, or -1. A mask under the point beats the
 * empty corner of a smaller box.
 * @param {Pick<Thing, "index" | "isVisible" | "box" | "path">[]} things
 * @param {Point} point
 * @param {number} slack
 * @param {(path: Path2D) => boolean} isInPath whether the point lies in an outline
 */
export function smallestAt(things, point, slack, isInPath) {
  const near = things.filter(({ isVisible, box }) => isVisible && isInBox(box, point, slack));
  const hit = near.filter(({ path }) => !path || isInPath(path));
  const [best] = (hit.length ? hit : near).sort((a, b) => boxArea(a.box) - boxArea(b.box));
  return best ? best.index : -1;
}

/**
 * The index of the visible thing that lies a step on from the selected one, round and round;
 * -1 where none is visible.
 * @param {Pick<Thing, "index" | "isVisible">[]} things
 * @param {number} selected index of a thing, or -1
 * @param {1 | -1} step
 */
export function neighbourOf(things, selected, step) {
  const visible = things.filter((thing) => thing.isVisible);
  if (!visible.length) return -1;
  const at = visible.findIndex((thing) => thing.index === selected);
  const from = at < 0 && step < 0 ? 0 : at; // from nothing, one goes back to the last
  return visible[(from + step + visible.length) % visible.length].index;
}

/**
 * One edge is a line across, two are a corner, three a side, four the box: as an SVG path.
 * @param {Pick<PartialRecord, "y0" | "x0" | "y1" | "x1">} partial
 * @param {Size} picture
 */
export function partialPath({ y0, x0, y1, x1 }, { width, height }) {
  const arm = Math.max(width, height) * 0.08;
  if (y0 === null) return "";
  if (x0 === null) return `M 0 ${y0} H ${width}`;
  if (y1 === null) return `M ${x0} ${y0 + arm} V ${y0} H ${x0 + arm}`;
  if (x1 === null) return `M ${x0} ${y0} V ${y1}`;
  return `M ${x0} ${y0} H ${x1} V ${y1} H ${x0} Z`;
}
