// The words of the list of checkpoints: what a row says, where it stands, how far a change is.

import { formatBytes, formatCount } from "./lib/format.js";

const LINES = ["PaliGemma 2", "PaliGemma", "Gemma 3"]; // in this order, others behind
const KINDS = ["mix", "pt", "ft", "it"];
/** @type {Record<string, string>} which of the three steps an error's code is about */
const FAULTS = {
  E_LICENCE: "licence",
  E_MODEL_GATED: "token",
  E_TOKEN: "token",
  E_TOKEN_REFUSED: "token",
  E_TOKEN_SCOPE: "token",
};

/**
 * The page of a checkpoint on the Hub, where its licence is accepted; "" of what is no Hub id.
 * @param {string} id
 */
export function hubPage(id) {
  return /^[\w.-]+\/[\w.-]+$/.test(id) ? `https://huggingface.co/${id}` : "";
}

/**
 * Size, input side and files of a checkpoint; the licence too where no link says it.
 * @param {ModelRow} row
 * @param {Translate} translate
 */
export function rowFacts(row, translate) {
  const size = formatBytes(row.bytes);
  const files = row.here ? size : translate("models_fetch", { size });
  return [
    row.parameters && formatCount(row.parameters),
    row.side && `${row.side} px`,
    row.parameters && files,
    row.here && row.licence && translate("models_licence", { licence: row.licence }),
  ]
    .filter(Boolean)
    .join(" · ");
}

/**
 * What a number of the order is for `known`; behind all of it for others.
 * @param {string[]} known
 * @param {string} word
 */
function placeIn(known, word) {
  const place = known.indexOf(word);
  return place < 0 ? known.length : place;
}

/**
 * Rows under the titles they stand below: what is here first, then line by line.
 * @param {ModelRow[]} rows
 * @param {Translate} translate
 * @returns {{title: string, isHere: boolean, rows: ModelRow[]}[]}
 */
export function groupRows(rows, translate) {
  const here = rows.filter((row) => row.here);
  const titles = [...new Set(rows.filter((row) => !row.here).map((row) => row.title))];
  titles.sort((one, other) => placeIn(LINES, one) - placeIn(LINES, other));
  const lines = titles.map((title) => ({
    title,
    isHere: false,
    rows: rows.filter((row) => !row.here && row.title === title),
  }));
  const first = { title: translate("models_here"), isHere: true, rows: here };
  return here.length ? [first, ...lines] : lines;
}

/**
 * The rows of a line by what they were made for: mix, pt, ft, it.
 * @param {ModelRow[]} rows
 * @returns {[string, ModelRow[]][]}
 */
export function kindsOf(rows) {
  const kinds = [...new Set(rows.map((row) => row.kind))];
  kinds.sort((one, other) => placeIn(KINDS, one) - placeIn(KINDS, other));
  return kinds.map((kind) => [kind, rows.filter((row) => row.kind === kind)]);
}

/**
 * What the recommended checkpoint needs, what there is, and what has to be fetched.
 * @param {Recommendation} best
 * @param {ModelRow} row
 * @param {Translate} translate
 */
export function recommendedFacts(best, row, translate) {
  const [need, room] = [formatBytes(best.need), formatBytes(best.room)];
  const size = formatBytes(row.bytes);
  const files = row.here ? translate("door_here") : translate("models_fetch", { size });
  return [translate("door_needs", { need, room, device: best.device }), files].join(" · ");
}

/**
 * Why none is recommended, and what would do.
 * @param {Recommendation} best
 * @param {Translate} translate
 */
export function tooSmallText(best, translate) {
  const { id, device } = best;
  const [need, room] = [formatBytes(best.need), formatBytes(Math.max(best.room, 0))];
  const short = translate("door_short", { id, need, room, device });
  if (best.packed_need === null) return short;
  return `${short} ${translate("door_packed", { need: formatBytes(best.packed_need) })}`;
}

/**
 * Where the token is from, as visitors of a public app and a machine's own people are told.
 * @param {TokenState} token
 * @param {Translate} translate
 */
export function tokenText({ source, taken }, translate) {
  if (taken) return translate(`token_${source}`);
  return translate(source === "none" ? "token_operator_none" : "token_operator");
}

/**
 * Whether a text can be a token of the Hub, as the app will say too: a single plain word.
 * @param {string} text
 */
export function canBeToken(text) {
  return /^[A-Za-z0-9_.-]{8,400}$/.test(text);
}

/**
 * The step, "licence" or "token", that an error's code is about; "" for all others.
 * @param {string | undefined} code
 */
export function faultyStep(code) {
  return FAULTS[code ?? ""] ?? "";
}

/**
 * What is being done for the checkpoint that was chosen, and how much of it.
 * @param {ModelChange} change
 * @param {Translate} translate
 */
export function phaseText({ id, phase, done, total }, translate) {
  const isInBytes = phase === "fetching";
  const key = isInBytes && !total ? "phase_asking" : `phase_${phase}`;
  /** @param {number} n */
  const amount = (n) => (isInBytes ? formatBytes(n) : String(n));
  return translate(key, { id, done: amount(done), total: amount(total) });
}
