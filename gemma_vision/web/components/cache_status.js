// One line in the visitor's language: what the cache of encoded images holds and has saved.

import { find, renderLive, translator } from "./lib/lib.js";

const line = find(element, ".gv-remembered");

const translate = translator(["crops"]); // named here: what it was given may be lost

function renderStatus() {
  const { images, prefixes } = props.value ?? {};
  const sentences = images ? [translate("remembered", images)] : [];
  if (prefixes?.all) sentences.push(translate("remembered_prefixes", prefixes));
  line.textContent = sentences.join(" ");
}

renderLive(renderStatus);
