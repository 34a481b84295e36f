// The header's words: what answers, as a person says it, and its technical facts.

import { formatCount, progressPercent, shortName } from "./lib/format.js";

/**
 * What answers, in words: what the demo model knows, how many things a checkpoint with listed names
 * knows, or the title and the size of another; what is being loaded while that goes on.
 * @param {ModelState} state
 * @param {{titles: Record<string, string>, isDemo: boolean}} known titles by family
 * @param {Translate} translate
 */
export function modelTitle(state, { titles, isDemo }, translate) {
  if (state.change) return loadingText(state.change, translate);
  if (state.state === "none") return translate("models_none");
  const n = state.names.length;
  if (isDemo && n) return translate("model_demo", { n });
  if (n) return translate("model_listed", { name: shortName(state.id), n });
  const title = titles[state.family] ?? shortName(state.id);
  const size = state.parameters && translate("model_size", { n: formatCount(state.parameters) });
  return [title, size].filter(Boolean).join(" · ");
}

/**
 * @param {ModelChange} change
 * @param {Translate} translate
 */
function loadingText(change, translate) {
  const percent = progressPercent(change);
  const loading = translate("models_loading", { id: shortName(change.id) });
  return percent === null ? loading : `${loading} · ${translate("models_percent", { percent })}`;
}

/**
 * Name, parameters, device and number type of the checkpoint that answers.
 * @param {ModelState} state
 */
export function modelFacts({ id, parameters, device, dtype }) {
  const size = parameters && formatCount(parameters);
  return [shortName(id), size, device, dtype].filter(Boolean).join(" · ");
}
