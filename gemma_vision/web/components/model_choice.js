// The list of checkpoints: a dialog of its own over the page. Shares the header's texts and state.
// Everything is written as texts.

import { outcomeText, pill, refreshState, renderOutcome, state, translate } from "./header.js";
import { formatBytes, progressPercent } from "./lib/format.js";
import { find, make } from "./lib/lib.js";
import { groupRows, phaseText, rowFacts } from "./model_choice_text.js";

const dialog = /** @type {HTMLDialogElement} */ (find(element, ".gv-models"));
const note = find(dialog, ".note");
const progressBar = /** @type {HTMLProgressElement} */ (find(dialog, "progress"));
const cancelButton = /** @type {HTMLButtonElement} */ (find(dialog, ".cancel"));
const idField = /** @type {HTMLInputElement} */ (find(dialog, ".typed input"));
const idButton = /** @type {HTMLButtonElement} */ (find(dialog, ".typed button"));

/** @param {ModelRow} row */
function loadButton(row) {
  const attributes = {
    class: "load",
    type: "button",
    disabled: !row.fits || state.state === "loading",
    "aria-label": translate("models_load_named", { id: row.id }),
    onclick: () => chooseModel(row.id),
  };
  return make("button", attributes, translate("models_load"));
}

/** @param {ModelRow} row */
function rowItem(row) {
  const facts = make("span", { class: "facts", text: rowFacts(row, translate) });
  if (!row.fits && !row.loaded) {
    const need = translate("models_needs", { need: formatBytes(row.need) });
    facts.append(" · ", make("span", { class: "large", text: need }));
  }
  const end = row.loaded
    ? make("span", { class: "mark", text: translate("models_loaded") })
    : loadButton(row);
  const tasks = row.tasks.map((task) => translate(task)).join(", ");
  return make(
    "li",
    { class: row.loaded && "loaded", "data-id": row.id },
    make("b", { text: row.id }),
    facts,
    make("span", { class: "tasks", text: tasks }),
    make("div", { class: "end" }, end),
  );
}

// The list scrolls to where it was, and a focused row keeps the focus.
function renderList() {
  const list = find(dialog, ".list");
  const top = list.scrollTop;
  const focused = document.activeElement?.closest("li")?.dataset.id;
  list.replaceChildren(
    ...groupRows(props.value?.rows ?? [], translate).flatMap(([title, rows]) => [
      make("h3", { text: title }),
      make("ul", {}, ...rows.map(rowItem)),
    ]),
  );
  list.scrollTop = top;
  if (focused && dialog.open) focusRow(list, focused);
  const room = props.value?.room;
  find(dialog, ".room").textContent = room
    ? translate("models_room", { room: formatBytes(room), device: state.device ?? "" })
    : "";
}

/**
 * @param {HTMLElement} list
 * @param {string} id
 */
function focusRow(list, id) {
  const button = list.querySelector(`li[data-id="${CSS.escape(id)}"] button:not(:disabled)`);
  if (button instanceof HTMLElement) button.focus();
}

function renderChange() {
  const { change } = state;
  find(dialog, ".now").hidden = !change;
  idButton.disabled = Boolean(change);
  if (!change) return;
  find(dialog, ".now p").textContent = phaseText(change, translate);
  cancelButton.disabled = change.phase === "returning";
  progressBar.setAttribute("aria-label", translate("models_loading", { id: change.id }));
  if (progressPercent(change) === null) progressBar.removeAttribute("value");
  else progressBar.value = change.done / change.total;
}

/**
 * @param {string} text
 * @param {string} result how it ended: the note's colour
 */
function renderNote(text, result = "failed") {
  note.textContent = text;
  note.dataset.result = result;
}

/** @param {string} name */
function chooseModel(name) {
  renderNote("");
  renderOutcome(null);
  trigger("choose", { name });
}

let lastState = state.state;
element.addEventListener("gv-state", (event) => {
  const { isNews } = /** @type {CustomEvent} */ (event).detail;
  const hasChanged = lastState !== state.state;
  lastState = state.state;
  renderChange();
  if (!dialog.open) return;
  if (isNews && state.outcome) renderNote(outcomeText(state.outcome), state.outcome.result);
  if (isNews || hasChanged) trigger("look", {});
});

watch("value", () => {
  if (props.value?.note) renderNote(props.value.note);
  refreshState().then(renderList);
});

find(dialog, "h2").textContent = translate("models_title");
find(dialog, ".close").setAttribute("aria-label", translate("models_close"));
find(dialog, ".typed label").textContent = translate("models_typed");
find(dialog, ".typed").hidden = !props.may_type;
idButton.textContent = translate("models_load");
cancelButton.textContent = translate("models_cancel");
pill.addEventListener("click", () => {
  renderNote("");
  renderChange();
  renderList();
  dialog.showModal();
  trigger("look", {});
});
find(dialog, ".close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
cancelButton.addEventListener("click", () => trigger("cancel", {}));
find(dialog, ".typed").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = idField.value.trim();
  if (name) chooseModel(name);
});
