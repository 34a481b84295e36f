// The lines that lead on from an answer: why nothing was found, what can be asked instead.
// Names come from people and models: every text goes through textContent.

import { find, make } from "./lib/lib.js";
import { root, translate } from "./viewer_scene.js";

const guidance = find(element, ".guidance");

// The button of the page's header that opens the list of checkpoints, where visitors may choose.
function modelButton() {
  return /** @type {HTMLButtonElement | null} */ (
    document.querySelector("#header .model:not(:disabled)")
  );
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
  if (!action || (action === "models" && !modelButton())) return [];
  const onclick = actions[action] ?? (() => trigger("ask", ask));
  const text = translate(`do_${action}`, ask);
  return [make("button", { type: "button", class: "act", "data-act": action, onclick, text })];
}

/** @param {GuidanceLine} line */
function lineChips({ chips }) {
  return chips.map(({ label, ask }) =>
    make("button", {
      type: "button",
      class: "chip",
      text: label,
      onclick: () => trigger("ask", ask),
    }),
  );
}

/**
 * @param {GuidanceLine[]} lines
 * @param {() => void} bringBack
 */
export function renderGuidance(lines, bringBack) {
  root.classList.toggle("has-guidance", lines.length > 0);
  guidance.replaceChildren(
    ...lines.map((line) => {
      const said = line.say
        ? [make("span", { text: translate(`say_${line.say}`, line.values) })]
        : [];
      const parts = [...said, ...lineChips(line), ...lineButton(line, bringBack)];
      return make("p", { "data-line": line.say || null }, ...parts);
    }),
  );
}
