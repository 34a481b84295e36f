// The progress of a batch or a video: numbers and sentences, written as texts.

import { find, make, noteText, renderLive, translator } from "./lib/lib.js";
import { progressText } from "./progress_text.js";

const panel = find(element, ".gv-progress");
const bar = /** @type {HTMLProgressElement} */ (find(panel, "progress"));
const translate = translator(props.words);

function renderProgress() {
  /** @type {ProgressValue} */
  const value = props.value || { state: "idle", notes: [] };
  panel.dataset.state = value.state;
  bar.max = value.total || 1;
  bar.value = value.done || 0;
  bar.setAttribute("aria-label", translate("results"));
  find(panel, ".facts").textContent = progressText(value, props.kind, translate);
  find(panel, "ul").replaceChildren(
    ...value.notes.map((note) => make("li", { text: noteText(note) })),
  );
}

renderLive(renderProgress);
