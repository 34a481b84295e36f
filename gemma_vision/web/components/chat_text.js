// The line under a conversation: how the last turn stands, why it ended early, what went wrong.

import { formatSeconds } from "./lib/format.js";
import { noteText } from "./lib/lib.js";

/**
 * @param {TalkValue | null} value null before anything was said
 * @param {Translate} translate
 */
export function chatStatus(value, translate) {
  if (!value?.state) return "";
  const { state, notes, tokens, seconds, cut } = value;
  const parts = [translate(`state_${state}`)];
  if (state === "error") return [...parts, ...notes.map((note) => noteText(note))].join(": ");
  if (tokens) parts.push(translate(tokens === 1 ? "tokens_one" : "tokens", { n: tokens }));
  if (tokens && state !== "running") parts.push(formatSeconds(seconds));
  if (cut) parts.push(translate("say_cut_words", { limit: cut }));
  return parts.join(" · ");
}
