// The lines that lead on from an answer: why nothing was found, what can be asked instead.
// Names come from people and models: every text goes through textContent.

import { shortName } from "./lib/format.js";
import { find, make } from "./lib/lib.js";
import { root, translate } from "./viewer_scene.js";

const guidance = find(element, ".guidance");

// The button of the page's header that opens the list of checkpoints, where visitors may choose.
function modelButton() {
  return /** @type {HTMLButtonElement | null} */ (
    document.querySelector("#header .model:not(:disabled)")
  );
}

// Where visitors may not choose: how to run the app with a checkpoint for photographs.
function photosLink() {
  const link = /** @type {HTMLAnchorElement | null} */ (
    document.querySelector("#header a.photos:not([hidden])")
  );
  if (!link) return [];
  const { href, target, rel } = link;
  const attributes = { href, target, rel, class: "act", "data-act": "photos" };
  return [make("a", { ...attributes, text: link.textContent })];
}

/**
 * @param {GuidanceLine} line
 * @param {() => void} bringBack shows what was left out
 */
function lineButton({ action, ask }, bringBack) {
  /** @type {Record<string, () => void>} */
  const actions = {
    models: () => modelButton()?.click(),
    show_left_out: bringBack,
  };
  if (!action) return [];
  if (action === "models" && !modelButton()) return photosLink();
  const onclick = actions[action] ?? (() => trigger("ask", ask));
  const text = translate(`do_${action}`, ask);
  return [make("button", { type: "button", class: "act", "data-act": action, onclick, text })];
}

/**
 * The values in a line's sentence, with the model by the name that people know.
 * @param {GuidanceLine} line
 * @param {boolean} isDemo
 */
function lineValues({ values }, isDemo) {
  const { model } = values;
  if (typeof model !== "string") return values;
  return { ...values, model: isDemo ? translate("demo_subject") : shortName(model) };
}

/** @param {GuidanceLine} line */
function lineChips({ chips, more }) {
  const buttons = chips.map(({ label, ask }) =>
    make("button", {
      type: "button",
      class: "chip",
      text: label,
      onclick: () => trigger("ask", ask),
    }),
  );
  return more ? [...buttons, make("small", { text: `+ ${more}` })] : buttons;
}

/**
 * @param {GuidanceLine[]} lines
 * @param {boolean} isDemo whether the model that comes inside answered
 * @param {() => void} bringBack
 */
export function renderGuidance(lines, isDemo, bringBack) {
  root.classList.toggle("has-guidance", lines.length > 0);
  guidance.replaceChildren(
    ...lines.map((line) => {
      const said = line.say
        ? [make("span", { text: translate(`say_${line.say}`, lineValues(line, isDemo)) })]
        : [];
      const parts = [...said, ...lineChips(line), ...lineButton(line, bringBack)];
      return make("p", { "data-line": line.say || null }, ...parts);
    }),
  );
}
