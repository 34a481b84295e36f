// What stands around the canvas: legend, table and the model's own words.
// Every text from outside goes through textContent.

import { find, make } from "./lib/lib.js";
import { rowTexts, splitTokens, UNNAMED } from "./viewer_text.js";

const COPIED = 1500; // milliseconds that a button says what came of it

/**
 * Chips are kept while their labels are the same ones, so that a focused one stays focused.
 * @param {HTMLElement} node
 * @param {LabelGroup[]} groups
 * @param {Set<string>} hidden labels
 * @param {(label: string) => void} toggle
 * @param {Translate} translate
 */
export function renderLegend(node, groups, hidden, toggle, translate) {
  const labels = JSON.stringify(
    groups.map(({ label, color, unasked }) => [label, color, unasked && translate("unasked")]),
  );
  if (node.dataset.labels === labels && node.children.length) {
    for (const [i, { label, count }] of groups.entries()) {
      node.children[i].setAttribute("aria-pressed", String(!hidden.has(label)));
      find(node.children[i], ".count").textContent = String(count);
    }
    return;
  }
  node.dataset.labels = labels;
  node.replaceChildren(
    ...groups.map(({ label, color, count, unasked }) => {
      const mark = unasked ? [make("span", { class: "unasked", text: translate("unasked") })] : [];
      const pressed = String(!hidden.has(label));
      return make(
        "button",
        { type: "button", class: "chip", "aria-pressed": pressed, onclick: () => toggle(label) },
        make("span", { class: "swatch", style: `background:${color}` }),
        make("span", { text: label || UNNAMED }),
        make("span", { class: "count", text: count }),
        ...mark,
      );
    }),
  );
}

/**
 * Rows are kept while things arrive, so that a focused row stays focused.
 * @param {HTMLTableSectionElement} body
 * @param {Thing[]} things
 * @param {RowListeners} listeners
 * @param {Translate} translate
 */
export function renderTable(body, things, listeners, translate) {
  while (body.rows.length > things.length) body.lastElementChild?.remove();
  for (const [i, thing] of things.entries()) {
    const row = body.rows[i] ?? body.appendChild(newRow(i, listeners));
    const swatch = row.querySelector(".swatch");
    if (swatch instanceof HTMLElement) swatch.style.background = thing.color;
    for (const [column, text] of rowTexts(thing, translate).entries()) {
      const cell = row.cells[column + 1];
      if (cell.textContent !== text) cell.textContent = text;
    }
    const eye = row.querySelector(".eye");
    eye?.setAttribute("aria-pressed", String(!thing.isHidden));
    eye?.setAttribute(
      "aria-label",
      translate("show_thing", { n: i + 1, name: thing.label || UNNAMED }),
    );
    row.classList.toggle("off", !thing.isVisible);
  }
}

/**
 * @param {number} index
 * @param {RowListeners} listeners
 */
function newRow(index, { select, hover, hide }) {
  const button = make(
    "button",
    { type: "button", class: "number", "aria-pressed": "false" },
    make("span", { class: "swatch" }),
    String(index + 1),
  );
  /** @param {MouseEvent} event */
  const hideIt = (event) => {
    event.stopPropagation(); // the row itself selects
    hide(index);
  };
  const mouse = { onmouseenter: () => hover(index), onmouseleave: () => hover(-1) };
  const eye = make("button", { type: "button", class: "eye", onclick: hideIt });
  const score = make("td", { class: "scores-only" });
  const cells = [make("td", {}, button, eye), make("td"), score, make("td")];
  return make("tr", { onclick: () => select(index), ...mouse }, ...cells);
}

/**
 * @param {HTMLTableSectionElement} body
 * @param {number} selected
 */
export function markRow(body, selected) {
  for (const [i, row] of [...body.rows].entries()) {
    row.classList.toggle("selected", i === selected);
    row.querySelector("button")?.setAttribute("aria-pressed", String(i === selected));
  }
}

/**
 * <loc0123> and <seg045> in their own colours, everything else as it is.
 * @param {HTMLElement} node
 * @param {string} text
 */
export function renderTokens(node, text) {
  const spans = splitTokens(text).map((part) =>
    make("span", { class: part.kind, text: part.text }),
  );
  node.replaceChildren(...spans);
}

/**
 * @param {string} text
 * @param {HTMLElement} button says what came of it
 * @param {Translate} translate
 */
export async function copyText(text, button, translate) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = translate("copied");
  } catch {
    button.textContent = translate("copy_failed");
  }
  setTimeout(() => {
    button.textContent = translate("copy");
  }, COPIED);
}
