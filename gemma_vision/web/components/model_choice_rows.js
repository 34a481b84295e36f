// The rows of the list of checkpoints: those that are here, and the others folded by line.

import { state, translate } from "./header.js";
import { formatBytes } from "./lib/format.js";
import { find, make } from "./lib/lib.js";
import { groupRows, hubPage, kindsOf, rowFacts } from "./model_choice_text.js";

/** @type {Set<string>} lines that somebody has unfolded */
const unfoldedLines = new Set();

/** @param {ModelRow} row */
export function loadButton(row) {
  const attributes = {
    class: "load",
    type: "button",
    disabled: !row.fits || state.state === "loading",
    "aria-label": translate("models_load_named", { id: row.id }),
    onclick: () => element.dispatchEvent(new CustomEvent("gv-choose", { detail: row.id })),
  };
  return make("button", attributes, translate("models_load"));
}

/** @param {ModelRow} row */
export function loadedMark(row) {
  return row.loaded
    ? make("span", { class: "mark", text: translate("models_loaded") })
    : loadButton(row);
}

/** @param {ModelRow} row */
function factsLine(row) {
  const facts = make("span", { class: "facts", text: rowFacts(row, translate) });
  const page = hubPage(row.id);
  if (!row.here && row.licence && page) {
    const text = translate("models_licence", { licence: row.licence });
    const link = { href: page, target: "_blank", rel: "noopener noreferrer", text };
    facts.append(" · ", make("a", link));
  }
  if (!row.fits && !row.loaded) {
    const need = translate("models_needs", { need: formatBytes(row.need) });
    facts.append(" · ", make("span", { class: "large", text: need }));
  }
  return facts;
}

/** @param {ModelRow} row */
function rowItem(row) {
  const tasks = row.tasks.map((task) => translate(task)).join(", ");
  return make(
    "li",
    { class: row.loaded && "loaded", "data-id": row.id },
    make("b", { text: row.id }),
    factsLine(row),
    make("span", { class: "tasks", text: tasks }),
    make("div", { class: "end" }, loadedMark(row)),
  );
}

/** @param {[string, ModelRow[]]} kindAndRows */
function kindPart([kind, rows]) {
  const list = make("ul", {}, ...rows.map(rowItem));
  if (!kind) return [list];
  const about = [make("b", { text: kind }), ` ${translate(`kind_${kind}`)}`];
  return [make("p", { class: "kind" }, ...about), list];
}

/**
 * @param {{title: string, isHere: boolean, rows: ModelRow[]}} group
 * @returns {Node[]}
 */
function groupPart({ title, isHere, rows }) {
  if (isHere) return [make("h3", { text: title }), make("ul", {}, ...rows.map(rowItem))];
  const head = translate("models_line", { title, n: rows.length });
  const fold = make(
    "details",
    { class: "line", open: unfoldedLines.has(title) },
    make("summary", { text: head }),
    ...kindsOf(rows).flatMap(kindPart),
  );
  fold.addEventListener("toggle", () =>
    fold.open ? unfoldedLines.add(title) : unfoldedLines.delete(title),
  );
  return [fold];
}

// What is focused keeps the focus while the rows are made anew.
/** @param {ModelRow[]} rows */
export function renderRows(rows) {
  const list = find(element, ".gv-models .list");
  const focused = focusedPlace(list);
  list.replaceChildren(...groupRows(rows, translate).flatMap(groupPart));
  const next = focused && list.querySelector(focused);
  if (next instanceof HTMLElement) next.focus({ preventScroll: true });
}

/**
 * The selector of what will stand where the focus is; "" where it is elsewhere.
 * @param {HTMLElement} list
 */
function focusedPlace(list) {
  const active = document.activeElement;
  if (!active || !list.contains(active)) return "";
  const id = active.closest("li")?.dataset.id;
  if (id) return `li[data-id="${CSS.escape(id)}"] ${active.localName}:not(:disabled)`;
  const lines = [...list.querySelectorAll("summary")];
  const place = lines.indexOf(/** @type {HTMLElement} */ (active));
  return place < 0 ? "" : `details:nth-of-type(${place + 1}) > summary`;
}
