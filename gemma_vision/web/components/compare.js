// The line between two viewers that says in what their answers differ.

import { differencesText } from "./compare_text.js";
import { find, renderLive, translator } from "./lib/lib.js";

const line = find(element, ".gv-differences");
const translate = translator(props.words);

function renderDifferences() {
  line.textContent = differencesText(props.value, translate);
  line.classList.toggle("bad", Boolean(props.value?.note));
}

renderLive(renderDifferences);
