// The viewer's texts about an answer: status, summary, legend, rows, tokens. Makes no elements.

import { formatScore, formatSeconds, shortName } from "./lib/format.js";

export const UNNAMED = "?"; // a thing without a label
const STOPPED = /[.!?:\uff1a\u2026\u3002\uff01\uff1f\u0964]["')\]\u00bb\u201d\u300d]*$/; // in any script
const NAMING = ["detect", "segment", "point"]; // tasks that are given names of things

/**
 * "1 object", "3 objects"
 * @param {Translate} translate
 * @param {string} key
 * @param {number} n
 */
function counted(translate, key, n) {
  return translate(n === 1 ? `${key}_one` : key, { n });
}

/**
 * "1 object", "3 objects"
 * @param {number} n
 * @param {Translate} translate
 */
export function objectsText(n, translate) {
  return counted(translate, "objects", n);
}

/**
 * Whether an answer is one from before: the form, or the checkpoint, is another by now.
 * @param {Asking} asking
 * @param {Pick<Status, "state" | "model"> | undefined} status
 */
export function isStale({ asked, now, model }, status) {
  if (!status || status.state === "running") return false;
  return now !== asked || Boolean(model && status.model && model !== status.model);
}

/**
 * The line under the image: state, things, tokens, room for more, seconds, an early end, and the
 * checkpoint.
 * @param {Pick<ViewerValue, "status" | "instances" | "guidance" | "words">} value
 * @param {Translate} translate
 */
export function statusText({ status, instances, guidance, words }, translate) {
  const { state, finish, tokens, limit, seconds, task, room, model, is_demo: isDemo } = status;
  const isRunning = state === "running";
  const hasBoxes = NAMING.includes(task) || instances.length > 0;
  const isWordless = state === "empty" && !NAMING.includes(task) && !words;
  const parts = [translate(isWordless ? "state_blank" : `state_${state}`)];
  if (state === "error") return parts[0];
  if (hasBoxes && state !== "empty") parts.push(counted(translate, "objects", instances.length));
  if (tokens && isRunning) parts.push(translate("tokens_of", { n: tokens, limit }));
  else if (tokens) parts.push(counted(translate, "tokens", tokens));
  if (isRunning && room !== null) parts.push(translate(`room_${task}`, { n: room }));
  if (seconds !== null) parts.push(formatSeconds(seconds));
  const isEarly = finish === "length" || finish === "repeat";
  if (isEarly && !guidance) parts.push(translate(`finish_${finish}`));
  if (model) parts.push(isDemo ? translate("demo_name") : shortName(model));
  if (status.masks_by) parts.push(translate("masks_by", { model: shortName(status.masks_by) }));
  return parts.join(" · ");
}

/**
 * The image's description for those who listen: "Picture with 2 × cat, dog".
 * @param {{instances: {label: string, color: string, unasked?: boolean}[]}} value
 * @param {Translate} translate
 */
export function summaryText({ instances }, translate) {
  const list = groupLabels(instances).map(({ label, count }) =>
    count > 1 ? `${count} × ${label || UNNAMED}` : label || UNNAMED,
  );
  return list.length ? translate("picture_with", { list: list.join(", ") }) : translate("picture");
}

/**
 * Sentences one after the other, each with one stop at its end.
 * @param {string[]} sentences
 */
export function joinSentences(sentences) {
  const told = sentences.map((one) => one.trim()).filter(Boolean);
  return told.map((one) => (STOPPED.test(one) ? one : `${one}.`)).join(" ");
}

/**
 * Labels in the order in which they first appear, with their colour, how many bear them, and
 * whether they were not asked for.
 * @param {{label: string, color: string, unasked?: boolean}[]} things
 * @param {LabelGroup[]} [listed] those that come first, whether anything bears them or not
 * @returns {LabelGroup[]}
 */
export function groupLabels(things, listed = []) {
  /** @type {Map<string, LabelGroup>} */
  const groups = new Map(listed.map((group) => [group.label, { ...group, count: 0 }]));
  for (const { label, color, unasked = false } of things) {
    const group = groups.get(label) ?? { label, color, count: 0, unasked };
    group.count += 1;
    groups.set(label, group);
  }
  return [...groups.values()];
}

/**
 * The cells of a thing's row in the table: name, score, box in whole pixels.
 * @param {Pick<Thing, "label" | "score" | "box" | "only" | "unasked">} thing
 * @param {Translate} translate
 */
export function rowTexts({ label, score, box, only, unasked }, translate) {
  const marks = [only && "only_here", unasked && "unasked"].filter(Boolean);
  const said = marks.map((mark) => ` (${translate(String(mark))})`);
  const name = [label || UNNAMED, ...said].join("");
  return [name, formatScore(score), box.map(Math.round).join(", ")];
}

/**
 * The model's own words in parts: "loc" <loc0123>, "seg" <seg045>, "word" everything else.
 * @param {string} text
 */
export function splitTokens(text) {
  const parts = text.split(/(<loc\d{4,}>|<seg\d{3,}>)/).filter(Boolean);
  return parts.map((part) => ({ kind: /^<(loc|seg)/.exec(part)?.[1] ?? "word", text: part }));
}
