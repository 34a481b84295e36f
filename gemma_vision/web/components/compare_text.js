// In what two answers differ, as a sentence.

import { noteText } from "./lib/lib.js";

/**
 * @param {CompareValue | null} value null before anything was compared
 * @param {Translate} translate
 */
export function differencesText(value, translate) {
  if (!value) return translate("compare_empty");
  if (value.note) return noteText(value.note);
  if (value.state) return translate(`state_${value.state}`);
  if (value.blank) return translate("compare_nothing");
  if (value.same) return translate("compare_same");
  if (value.both + value.left + value.right === 0) return translate("compare_words");
  const parts = ["compare_both", "compare_left", "compare_right"];
  const sentences = parts.map((key) => translate(key, value));
  if (value.overlap !== null)
    sentences.push(translate("compare_overlap", { n: value.overlap.toFixed(2) }));
  return sentences.join(" · ");
}
