// Numbers and words as people read them. Knows nothing of the page.

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/**
 * A count of parameters: 3.0 B, 12.5 M.
 * @param {number} n
 */
export function formatCount(n) {
  return n >= 1e9 ? `${(n / 1e9).toFixed(1)} B` : `${(n / 1e6).toFixed(1)} M`;
}

/**
 * A size of files or memory in binary units; never less than 0.1 MiB.
 * @param {number} n bytes
 */
export function formatBytes(n) {
  if (n >= GIB) return `${(n / GIB).toFixed(1)} GiB`;
  return `${Math.max(n / MIB, 0.1).toFixed(n < 10 * MIB ? 1 : 0)} MiB`;
}

/**
 * The last part of a Hub id or of a folder's path.
 * @param {string} id
 */
export function shortName(id) {
  return id.split(/[\\/]/).filter(Boolean).pop() ?? id;
}

/**
 * Whole percents of what is done, at most 100; null while the total is unknown.
 * @param {{done: number, total: number}} progress
 */
export function progressPercent({ done, total }) {
  return total ? Math.min(100, Math.floor((100 * done) / total)) : null;
}

/**
 * The score of a box, 0 to 1, in whole percents; "" where there is none.
 * @param {number | null | undefined} score
 */
export function formatScore(score) {
  return score === null || score === undefined ? "" : `${Math.round(score * 100)}%`;
}

/**
 * A probability, 0 to 1, in percents with a decimal; 0 % and 100 % stand without one.
 * @param {number} part
 */
export function formatProbability(part) {
  const isWhole = part >= 0.9995 || part < 0.0005;
  return `${isWhole ? Math.round(part * 100) : (part * 100).toFixed(1)} %`;
}

/**
 * A duration in seconds: a decimal below ten, whole from there.
 * @param {number} seconds
 */
export function formatSeconds(seconds) {
  return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
}

/**
 * The text of a token with its blanks made visible.
 * @param {string} text
 */
export function visibleText(text) {
  if (text === "") return "∅";
  return text.replaceAll("\n", "⏎").replace(/^ +| +$/g, (gap) => "·".repeat(gap.length));
}

/**
 * What kind of token that is: "loc" for a position, "seg" for a mask code, "" for a word.
 * @param {string} text
 */
export function tokenKind(text) {
  return /^<(loc|seg)\d/.exec(text)?.[1] ?? "";
}

/**
 * Letters that run to the left stay within the label (Unicode's first strong isolate, U+2068).
 * @param {string} label
 */
export function isolateDirection(label) {
  return label && `\u2068${label}\u2069`;
}

/**
 * What a file is called, without its folders.
 * @param {string} url
 */
export function fileName(url) {
  return decodeURIComponent(url.split(/[?#]/)[0].split("/").pop() ?? "");
}

/**
 * What a file is called, without its folders and its suffix.
 * @param {string} url
 */
export function fileStem(url) {
  return fileName(url).replace(/\.[^.]*$/, "") || "picture";
}

/**
 * Names as they are written, none of whose lines begins with what stands between two.
 * @param {string} text
 */
export function keepSeparators(text) {
  return text.replaceAll(" ;", "\u00a0;");
}
