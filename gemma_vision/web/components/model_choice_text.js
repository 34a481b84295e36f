// The words of the list of checkpoints: what a row says, where it stands, how far a change is.

import { formatBytes, formatCount } from "./lib/format.js";

/**
 * Size, input side, files and licence of a checkpoint.
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
    row.licence && translate("models_licence", { licence: row.licence }),
  ]
    .filter(Boolean)
    .join(" · ");
}

/**
 * Rows under the titles they stand below: those that are here first have a title of their own.
 * @param {ModelRow[]} rows
 * @param {Translate} translate
 * @returns {[string, ModelRow[]][]}
 */
export function groupRows(rows, translate) {
  /** @type {Map<string, ModelRow[]>} */
  const groups = new Map();
  for (const row of rows) {
    const title = row.here ? translate("models_here") : row.title;
    groups.set(title, [...(groups.get(title) ?? []), row]);
  }
  return [...groups];
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
