// An image with the probabilities of a box's four edges drawn above it and beside it.

import { binOffset, decodeLevels, edgeCurve } from "./inside_geometry.js";
import { brushOf } from "./lib/lib.js";

const SIDE = 300; // CSS pixels of the image, and of the margin that the curves stand in
const MARGIN = 54;
const GAP = 4;
/** @type {Record<string, string>} */
const EDGE_COLORS = { x0: "#d9772b", x1: "#b0408c", y0: "#1f87b4", y1: "#2c9a62" };

/**
 * Draw once the image is loaded.
 * @param {HTMLCanvasElement} canvas
 * @param {Record<string, Edge>} edges by name
 * @param {string} source the image's address
 */
export function paintEdges(canvas, edges, source) {
  const scale = Math.max(2, window.devicePixelRatio || 1);
  const brush = brushOf(canvas);
  const image = new Image();
  canvas.width = (SIDE + MARGIN) * scale;
  canvas.height = canvas.width;
  image.onload = () => {
    brush.setTransform(scale, 0, 0, scale, 0, 0);
    brush.drawImage(image, MARGIN, MARGIN, SIDE, SIDE);
    for (const [name, edge] of Object.entries(edges))
      paintEdge(brush, edge, name.startsWith("x"), EDGE_COLORS[name]);
  };
  image.src = source;
}

/**
 * The curve of an edge and its place: x edges above the image, y edges to its left.
 * @param {CanvasRenderingContext2D} brush
 * @param {Edge} edge
 * @param {boolean} isAcross
 * @param {string} color
 */
function paintEdge(brush, edge, isAcross, color) {
  /** @type {(along: number, high: number) => [number, number]} */
  const place = (along, high) =>
    isAcross ? [MARGIN + along, MARGIN - GAP - high] : [MARGIN - GAP - high, MARGIN + along];
  const curve = edgeCurve(decodeLevels(edge.levels), SIDE, MARGIN - 2 * GAP);
  brush.fillStyle = color;
  brush.strokeStyle = color;
  brush.beginPath();
  for (const [along, high] of curve) brush.lineTo(...place(along, high));
  brush.globalAlpha = 0.35;
  brush.fill();
  brush.globalAlpha = 1;
  brush.lineWidth = 1.2;
  brush.stroke();
  brush.lineWidth = 2;
  brush.beginPath();
  brush.moveTo(...place(binOffset(edge.at, SIDE), 0));
  brush.lineTo(...place(binOffset(edge.at, SIDE), -GAP - SIDE));
  brush.stroke();
}
