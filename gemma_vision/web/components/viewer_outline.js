// Outlines of masks, made smooth. They come as polygons thinned to what shows at the size of the
// page; drawn with bends in the place of corners they show no corners at any zoom.

const SHARP = 1600; // pixels of the longer side up to which an outline is off by a pixel at most

/**
 * An outline with its corners bent, as an SVG path: "M1 2 3 4 5 6Z" -> "M... Q...Z". A bend leaves
 * its corner by at most a pixel (of a picture that is at most 1600 large), so that the corners of a
 * square stay, and joins the middles of edges where the outline hardly turns.
 * @param {string} path of polygons, as `jobs/outlines.py` writes it
 * @param {Size} picture
 */
export function smoothOutline(path, { width, height }) {
  const slack = Math.max(1, Math.max(width, height) / SHARP);
  return path
    .split("Z")
    .map(readRing)
    .filter((ring) => ring.length > 2)
    .map((ring) => smoothRing(ring, slack))
    .join("");
}

/**
 * "M1 2 3 4" -> [{x: 1, y: 2}, {x: 3, y: 4}]
 * @param {string} text
 * @returns {Point[]}
 */
function readRing(text) {
  const numbers = (text.match(/-?[\d.]+(?:e[-+]?\d+)?/g) ?? []).map(Number);
  const points = [];
  for (let n = 0; n + 1 < numbers.length; n += 2) points.push({ x: numbers[n], y: numbers[n + 1] });
  return points;
}

/**
 * @param {Point[]} ring
 * @param {number} slack
 */
function smoothRing(ring, slack) {
  const bends = ring.map((corner, n) => {
    const before = ring[(n + ring.length - 1) % ring.length];
    return bend(before, corner, ring[(n + 1) % ring.length], slack);
  });
  const [first, ...others] = bends;
  const lines = others.map(({ from, at, to }) => `L${from}Q${at} ${to}`);
  return `M${first.from}Q${first.at} ${first.to}${lines.join("")}Z`;
}

/**
 * The bend in the place of a corner: where it leaves the edge before and meets the edge behind.
 * @param {Point} before
 * @param {Point} corner
 * @param {Point} behind
 * @param {number} slack
 */
function bend(before, corner, behind, slack) {
  const [into, out] = [edge(before, corner), edge(corner, behind)];
  const turn = Math.hypot(into.x - out.x, into.y - out.y) / 2; // the sine of half the angle
  // The middle of the bend lies reach / 2 * turn from the corner.
  const reach = Math.min(into.length / 2, out.length / 2, (2 * slack) / Math.max(turn, 1e-6));
  return {
    from: written(corner.x - into.x * reach, corner.y - into.y * reach),
    at: written(corner.x, corner.y),
    to: written(corner.x + out.x * reach, corner.y + out.y * reach),
  };
}

/**
 * The direction from one point to another, of length 1, and how far that is.
 * @param {Point} one
 * @param {Point} other
 */
function edge(one, other) {
  const length = Math.hypot(other.x - one.x, other.y - one.y);
  const unit = length || 1;
  return { x: (other.x - one.x) / unit, y: (other.y - one.y) / unit, length };
}

/**
 * @param {number} x
 * @param {number} y
 */
function written(x, y) {
  return `${Number(x.toFixed(2))} ${Number(y.toFixed(2))}`;
}
