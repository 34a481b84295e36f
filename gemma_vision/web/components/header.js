// The header's texts, and the state of the checkpoint that answers. Names are whatever folder
// somebody named: they are written as texts.

import { modelFacts, modelTitle } from "./header_text.js";
import { shortName } from "./lib/format.js";
import { find, noteText, onLanguage, translator } from "./lib/lib.js";

const IDLE = 2500; // milliseconds between two requests for the state
const BUSY = 350;
const MESSAGE = 9000; // milliseconds that a sentence stays

export const translate = translator(props.words);
export const pill = /** @type {HTMLButtonElement} */ (find(element, ".model"));
const isFixed = props.freedom === "fixed";
const message = find(element, ".told");
/** @type {ModelState} */
export let state = props.state;
let revision = state.revision; // that the forms fit
let hasArrived = false; // whether the forms hold what the page was opened with
/** @type {number | null} */
let newestOutcome = null; // how many choices had ended when the state was last fetched
let messageTimer = 0;

/** @param {Outcome} outcome */
export function outcomeText(outcome) {
  return translate(`outcome_${outcome.result}`, {
    id: outcome.id,
    why: outcome.why && noteText(`${outcome.code}: ${outcome.why}`),
    model: props.demos.includes(state.id) ? translate("demo_name") : shortName(state.id),
  });
}

function renderPill() {
  const isDemo = props.demos.includes(state.id);
  const facts = modelFacts(state);
  pill.dataset.state = state.state;
  find(pill, "span").textContent = modelTitle(state, { titles: props.titles, isDemo }, translate);
  pill.title = isFixed ? facts : `${facts}: ${translate("models_open")}`;
  find(element, ".detail").textContent = facts;
  find(element, "button.photos").hidden = isFixed || !isDemo;
  find(element, "a.photos").hidden = !isFixed || !isDemo;
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
  announceModel();
  if (isNews) renderOutcome(newest.outcome);
  followModel();
  element.dispatchEvent(new CustomEvent("gv-state", { detail: { isNews } }));
}

// The forms become those of the checkpoint that answers; not before they are filled, or what they
// are filled with would be lost.
function followModel() {
  if (!hasArrived || state.revision === revision) return;
  revision = state.revision;
  trigger("swapped", {});
}

// For whatever on the page was answered by another checkpoint.
function announceModel() {
  document.dispatchEvent(new CustomEvent("gv-model", { detail: state.id }));
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

function renderHeader() {
  find(element, "p").textContent = translate("tagline");
  find(element, "a.photos").textContent = translate("demo_photos_fixed");
  find(element, "button.photos").textContent = translate("demo_photos");
  renderPill();
}

// Gradio translates the label: its locale is the language of the whole page.
function applyLanguage() {
  document.documentElement.lang = props.label || "en";
}

watch("label", applyLanguage);
applyLanguage();
onLanguage(renderHeader);
renderHeader();
find(element, "button.photos").addEventListener("click", () => pill.click());
if (!isFixed) {
  pill.disabled = false;
  pill.setAttribute("aria-haspopup", "dialog");
  document.addEventListener("visibilitychange", refreshState);
  document.addEventListener("gv-arrived", () => {
    hasArrived = true;
    followModel();
  });
  pollState();
}
