// The list of checkpoints: a dialog of its own over the page. Shares the header's texts and state.
// Everything is written as texts.

import { outcomeText, pill, refreshState, renderOutcome, state, translate } from "./header.js";
import { formatBytes, progressPercent } from "./lib/format.js";
import { find, noteText, onLanguage } from "./lib/lib.js";
import { markFault, renderDoor } from "./model_choice_door.js";
import { renderRows } from "./model_choice_rows.js";
import { phaseText } from "./model_choice_text.js";

const dialog = /** @type {HTMLDialogElement} */ (find(element, ".gv-models"));
const note = find(dialog, ".note");
const progressBar = /** @type {HTMLProgressElement} */ (find(dialog, "progress"));
const cancelButton = /** @type {HTMLButtonElement} */ (find(dialog, ".cancel"));
const idField = /** @type {HTMLInputElement} */ (find(dialog, ".typed input"));
const idButton = /** @type {HTMLButtonElement} */ (find(dialog, ".typed button"));

// The body scrolls to where it was.
function renderList() {
  const body = find(dialog, ".body");
  const top = body.scrollTop;
  /** @type {ModelListing | undefined} */
  const listing = props.value?.rows && props.value; // something else before the first listing
  renderDoor(listing);
  renderRows(listing?.rows ?? []);
  body.scrollTop = top;
  find(dialog, ".room").textContent = listing
    ? translate("models_room", { room: formatBytes(listing.room), device: state.device ?? "" })
    : "";
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
  markFault(null);
  renderOutcome(null);
  find(dialog, ".body").scrollTop = 0; // how far it is stands on top
  trigger("choose", { name });
}

let lastState = state.state;
element.addEventListener("gv-state", (event) => {
  const { isNews } = /** @type {CustomEvent} */ (event).detail;
  const hasChanged = lastState !== state.state;
  lastState = state.state;
  renderChange();
  if (!dialog.open) return;
  if (isNews && state.outcome) {
    renderNote(outcomeText(state.outcome), state.outcome.result);
    markFault(state.outcome);
  }
  if (isNews || hasChanged) trigger("look", {});
});

element.addEventListener("gv-choose", (event) => {
  chooseModel(/** @type {CustomEvent} */ (event).detail);
});
element.addEventListener("gv-token", (event) => {
  renderNote(/** @type {CustomEvent} */ (event).detail);
  markFault(null);
});

watch("value", () => {
  if (props.value?.note) renderNote(noteText(props.value.note));
  refreshState().then(renderList);
});

function renderWords() {
  find(dialog, "h2").textContent = translate("models_title");
  find(dialog, ".close").setAttribute("aria-label", translate("models_close"));
  find(dialog, ".typed label").textContent = translate("models_typed");
  idButton.textContent = translate("models_load");
  cancelButton.textContent = translate("models_cancel");
}

onLanguage(() => {
  renderWords();
  renderChange();
  renderList();
});
renderWords();
find(dialog, ".typed").hidden = !props.may_type;
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
