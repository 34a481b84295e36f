// Saving what the viewer shows as a PNG.

import { fileStem } from "./lib/format.js";
import { brushOf, make } from "./lib/lib.js";
import { value } from "./viewer.js";
import { paintScene } from "./viewer_paint.js";
import { scene } from "./viewer_scene.js";

const UNIT = 0.002; // of the image's side (the root of its area): a CSS pixel, as in drawn files
const MIN_UNIT = 11 / 12; // so that letters of 12 have 11 pixels
const FILE_NAME = "gemma-vision";
const KEPT = 10000; // milliseconds that the file's address lives on

// The image as the person sent it, full size, with everything that is switched on.
export async function savePicture() {
  const { picture, bitmap } = scene;
  if (!picture || !value?.image) return;
  const { original } = value.image;
  const large = original ? await loadImage(original.url) : null;
  const sheet = make("canvas", { width: picture.width, height: picture.height });
  const ratio = Math.max(MIN_UNIT, UNIT * Math.sqrt(picture.width * picture.height));
  const area = { width: picture.width / ratio, height: picture.height / ratio };
  const view = { scale: 1 / ratio, x: 0, y: 0 };
  const atRest = { hovered: -1, selected: -1, still: true, partial: null };
  paintScene(brushOf(sheet), { ...scene, ...atRest, ratio, area, view, bitmap: large ?? bitmap });
  const name = `${original ? fileStem(original.url) : FILE_NAME}.viewer.png`;
  sheet.toBlob((blob) => blob && downloadFile(blob, name), "image/png");
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
function downloadFile(blob, name) {
  const href = URL.createObjectURL(blob);
  make("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), KEPT);
}

/**
 * @param {string} url
 * @returns {Promise<HTMLImageElement | null>} null where it cannot be loaded
 */
function loadImage(url) {
  return new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => resolve(null);
    image.src = url;
  });
}
