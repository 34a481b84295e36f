// Two things that Gradio's fields do to those who use a keyboard or listen, put right.
// Its radio buttons each bear a name of their own, so that arrow keys do not move between them and
// none is announced as "2 of 6". Its file field puts the upload button into another button and
// names that one by a key nobody translated; the outer one becomes a mere group.

import { translate } from "./header.js";
import { find } from "./lib/lib.js";

const NESTED_BUTTONS = ".icon-button:has(.upload-container):not([role=group])";

let numGroups = 0;

/** @param {HTMLElement} group */
function joinRadios(group) {
  if (!group.dataset.radios) {
    numGroups += 1;
    group.dataset.radios = `radios-${numGroups}`; // two groups never share one
  }
  const name = group.dataset.radios;
  const title = group.querySelector("[data-testid=block-info]");
  if (title) {
    title.id = `${name}-title`;
    group.setAttribute("aria-labelledby", title.id);
  }
  for (const radio of group.querySelectorAll("input"))
    if (radio.type === "radio" && radio.name !== name) radio.name = name;
}

/** @param {HTMLElement} outer */
function ungroupButton(outer) {
  outer.setAttribute("role", "group");
  outer.tabIndex = -1;
  outer.title = translate("add_files");
  outer.setAttribute("aria-label", outer.title);
  find(outer, ".upload-container").setAttribute("aria-label", outer.title);
}

/**
 * @param {string} selector
 * @param {(node: HTMLElement) => void} fix
 */
function fixAll(selector, fix) {
  for (const node of document.querySelectorAll(selector)) fix(/** @type {HTMLElement} */ (node));
}

function applyFixes() {
  fixAll("fieldset:has(input[type=radio])", joinRadios);
  fixAll(NESTED_BUTTONS, ungroupButton);
}

// Before the next frame: a field that is shown anew has lost its fixes.
let isQueued = false;
new MutationObserver(() => {
  if (isQueued) return;
  isQueued = true;
  requestAnimationFrame(() => {
    isQueued = false;
    applyFixes();
  });
}).observe(document.body, { childList: true, subtree: true, attributeFilter: ["name"] });
