// What a checkpoint with listed names knows: a drawing of each, which asks for it.

import { find, make, renderLive, translator } from "./lib/lib.js";

const SIDE = 48; // pixels, of a drawing on the page
const translate = translator(props.words);
/** @type {Record<string, NameSheet>} */
const sheets = props.sheets;

// Names of a checkpoint without drawings stand by themselves.
function renderNames() {
  const { id, names } = /** @type {NamesValue} */ (props.value ?? { id: "", names: [] });
  const sheet = sheets[id];
  find(element, "summary").textContent = translate("known_things", { n: names.length });
  find(element, "details").hidden = names.length === 0;
  find(element, ".names").replaceChildren(
    ...names.map((name, index) => {
      const drawing = sheet ? [drawingOf(sheet, index)] : [];
      const onclick = () => trigger("pick", { name, has_picture: hasPicture() });
      return make("button", { type: "button", onclick }, ...drawing, make("span", { text: name }));
    }),
  );
}

/**
 * One drawing of the sheet; the names beside them say what it shows.
 * @param {NameSheet} sheet
 * @param {number} index
 */
function drawingOf({ src, columns }, index) {
  const drawing = make("i", { "aria-hidden": "true" });
  drawing.style.backgroundImage = `url("${src}")`;
  drawing.style.backgroundSize = `${columns * SIDE}px auto`;
  const [across, down] = [index % columns, Math.floor(index / columns)];
  drawing.style.backgroundPosition = `${-across * SIDE}px ${-down * SIDE}px`;
  return drawing;
}

// Without a picture a name waits in the form.
function hasPicture() {
  return document.querySelector("#picture img") !== null;
}

renderLive(renderNames);
