// One line in the visitor's language: what the cache of encoded images holds and has saved.

import { find, pageLanguage } from "./lib/lib.js";

const line = find(element, ".gv-remembered");

function renderStatus() {
  line.textContent = props.value?.[pageLanguage(navigator.language)] || "";
}

watch("value", renderStatus);
renderStatus();
