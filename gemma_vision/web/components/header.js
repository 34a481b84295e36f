// The header's texts, and the state of the checkpoint that answers. Names are whatever folder
// somebody named: they are written as texts.

import { formatCount, progressPercent, shortName } from "./lib/format.js";
import { find, translator } from "./lib/lib.js";

const IDLE = 2500; // milliseconds between two requests for the state
const BUSY = 350;
const MESSAGE = 9000; // milliseconds that a sentence stays

export const translate = translator(props.words);
export const pill = /** @type {HTMLButtonElement} */ (find(element, ".model"));
const message = find(element, ".told");
/** @type {ModelState} */
export let state = props.state;
let revision = state.revision;
/** @type {number | null} */
let newestOutcome = null; // how many choices had ended when the state was last fetched
let messageTimer = 0;

/** @param {Outcome} outcome */
export function outcomeText(outcome) {
  return translate(`outcome_${outcome.result}`, {
    id: outcome.id,
    why: outcome.why,
    model: state.id,
  });
}

/** @param {ModelChange} change */
function loadingFacts(change) {
  const percent = progressPercent(change);
  const loading = translate("models_loading", { id: shortName(change.id) });
  return percent === null ? [loading] : [loading, translate("models_percent", { percent })];
}

function stateFacts() {
  if (state.change) return loadingFacts(state.change);
  if (state.state === "none") return [translate("models_none")];
  const size = state.parameters && formatCount(state.parameters);
  return [shortName(state.id), size, state.device, state.dtype];
}

function renderPill() {
  const isFixed = props.freedom === "fixed";
  pill.dataset.state = state.state;
  find(pill, "span").textContent = stateFacts().filter(Boolean).join(" · ");
  pill.title = isFixed ? state.id : `${state.id}: ${translate("models_open")}`;
}

/** @param {Outcome | null} outcome */
export function renderOutcome(outcome) {
  const isCovered = element.querySelector("dialog[open]"); // which has a line of its own for it
  message.textContent = outcome && !isCovered ? outcomeText(outcome) : "";
  message.dataset.result = outcome?.result ?? "";
  clearTimeout(messageTimer);
  messageTimer = setTimeout(() => renderOutcome(null), MESSAGE);
}

/** @param {ModelState} newest */
function applyState(newest) {
  const number = newest.outcome?.number ?? 0;
  const isNews = newestOutcome !== null && number !== newestOutcome;
  state = newest;
  newestOutcome = number;
  renderPill();
  if (isNews) renderOutcome(newest.outcome);
  if (newest.revision !== revision) {
    revision = newest.revision;
    trigger("swapped", {});
  }
  element.dispatchEvent(new CustomEvent("gv-state", { detail: { isNews } }));
}

async function fetchState() {
  if (document.visibilityState === "hidden") return;
  const answer = await fetch(new URL("model", document.baseURI));
  if (answer.ok) applyState(await answer.json());
}

// The app may be away for a moment: then the state stays as it was.
export async function refreshState() {
  await fetchState().catch(() => {});
}

async function pollState() {
  await refreshState();
  setTimeout(pollState, state.state === "loading" ? BUSY : IDLE);
}

find(element, "p").textContent = translate("tagline");
renderPill();
if (props.freedom !== "fixed") {
  pill.disabled = false;
  pill.setAttribute("aria-haspopup", "dialog");
  document.addEventListener("visibilitychange", refreshState);
  pollState();
}
