// The crops of pan-and-scan: the whole image with their borders, then each of them by itself.

import { boxSizeText, scaledRect, thumbnailSize } from "./crops_geometry.js";
import { brushOf, find, make, renderLive, translator } from "./lib/lib.js";

const panel = find(element, ".gv-crops");
const translate = translator(props.words);
const ratio = Math.min(devicePixelRatio || 1, 2);
let newest = 0; // number of the value that images on their way have to belong to

function renderCrops() {
  /** @type {CropsValue | null} */
  const value = props.value;
  const number = ++newest;
  panel.hidden = !value?.asked;
  if (!value?.asked) return;
  const { boxes, picture } = value;
  find(panel, "p").textContent = boxes.length
    ? translate("crops_some", { n: boxes.length })
    : translate("crops_none");
  find(panel, ".views").replaceChildren();
  if (!boxes.length || !picture.file) return;
  const image = new Image();
  image.onload = () => number === newest && renderThumbnails(image, value);
  image.src = picture.file.url;
}

/**
 * @param {HTMLImageElement} image
 * @param {CropsValue} value
 */
function renderThumbnails(image, { boxes, picture }) {
  const whole = thumbnail(image, picture, [0, 0, picture.width, picture.height]);
  paintBorders(whole, picture, boxes);
  find(panel, ".views").replaceChildren(
    framed(whole, translate("crops_whole")),
    ...boxes.map((box, i) => framed(thumbnail(image, picture, box), boxSizeText(box), i + 1)),
  );
}

/**
 * What the model saw of that box, in its own proportions.
 * @param {HTMLImageElement} image
 * @param {Size} picture
 * @param {Box} box
 */
function thumbnail(image, picture, box) {
  const { width, height } = thumbnailSize(box);
  const canvas = make("canvas", { width: width * ratio, height: height * ratio });
  canvas.style.width = `${width}px`;
  const brush = brushOf(canvas);
  brush.imageSmoothingQuality = "high";
  const natural = { width: image.naturalWidth, height: image.naturalHeight };
  brush.drawImage(image, ...scaledRect(box, picture, natural), 0, 0, canvas.width, canvas.height);
  return canvas;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {string} text
 * @param {number} [number] of the crop
 */
function framed(canvas, text, number) {
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", number ? `${number}: ${text}` : text);
  const caption = make("figcaption", {}, ...(number ? [make("b", { text: number })] : []), text);
  return make("figure", {}, canvas, caption);
}

/**
 * Thin lines between the crops and their numbers, on the whole image.
 * @param {HTMLCanvasElement} canvas
 * @param {Size} picture
 * @param {Box[]} boxes
 */
function paintBorders(canvas, picture, boxes) {
  const brush = brushOf(canvas);
  brush.font = `600 ${11 * ratio}px system-ui, sans-serif`;
  boxes.forEach((box, i) => {
    const [left, top, width, height] = scaledRect(box, picture, canvas);
    for (const [color, thickness] of /** @type {const} */ ([
      ["rgba(0, 0, 0, 0.5)", 3],
      ["#ffffff", 1],
    ])) {
      brush.strokeStyle = color;
      brush.lineWidth = thickness * ratio;
      brush.strokeRect(left, top, width, height); // neighbours share a line
    }
    const side = 15 * ratio;
    brush.fillStyle = "rgba(0, 0, 0, 0.7)";
    brush.fillRect(left + 3 * ratio, top + 3 * ratio, side, side);
    brush.fillStyle = "#ffffff";
    brush.textAlign = "center";
    brush.textBaseline = "middle";
    brush.fillText(String(i + 1), left + 3 * ratio + side / 2, top + 3.5 * ratio + side / 2);
  });
}

renderLive(renderCrops);
