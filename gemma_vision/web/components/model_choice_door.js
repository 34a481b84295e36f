// The door to a real checkpoint: the one to begin with, and what it takes: licence, token, Load.
// A token goes from its field into the body of one request, and is written nowhere on the page.

import { translate } from "./header.js";
import { find, make, onLanguage } from "./lib/lib.js";
import { loadButton, loadedMark } from "./model_choice_rows.js";
import {
  canBeToken,
  faultyStep,
  hubPage,
  recommendedFacts,
  tokenText,
  tooSmallText,
} from "./model_choice_text.js";

const door = find(element, ".gv-models .door");
const best = find(door, ".best");
const steps = find(door, ".steps");
const tokenForm = find(door, ".give");
const tokenField = /** @type {HTMLInputElement} */ (find(door, ".give input"));
const forgetButton = /** @type {HTMLButtonElement} */ (find(door, ".forget"));

/** @param {ModelListing | undefined} listing */
export function renderDoor(listing) {
  const row = listing?.rows.find((one) => one.id === listing.recommended.id);
  door.hidden = !listing || !row;
  if (!listing || !row) return;
  const { recommended, token } = listing;
  find(door, "h3").textContent = translate(recommended.fits ? "door_title" : "door_none");
  steps.hidden = !recommended.fits || row.loaded;
  if (recommended.fits) renderBest(recommended, row);
  else best.replaceChildren(make("p", { text: tooSmallText(recommended, translate) }));
  renderSteps(row);
  renderToken(token);
  renderOpen(listing);
}

// Without a token: a checkpoint that needs none, to be loaded at once.
/** @param {ModelListing} listing */
function renderOpen({ open, rows }) {
  const row = rows.find((one) => one.id === open?.id);
  const parts = open && row ? openParts(open, row) : [];
  find(door, ".open").replaceChildren(...parts);
}

/**
 * @param {Recommendation} open
 * @param {ModelRow} row
 */
function openParts(open, row) {
  const facts = [recommendedFacts(open, row, translate)];
  if (open.seconds) facts.push(translate("door_seconds", { n: open.seconds }));
  return [
    make("h4", { text: translate("door_open") }),
    make("b", { text: row.id }),
    make("p", { text: translate("door_open_does") }),
    make("p", { class: "facts", text: facts.join(" · ") }),
    row.loaded ? loadedMark(row) : loadButton(row),
  ];
}

/**
 * @param {Recommendation} recommended
 * @param {ModelRow} row
 */
function renderBest(recommended, row) {
  best.replaceChildren(
    make("b", { text: row.id }),
    make("p", { text: translate("door_does") }),
    make("p", { class: "facts", text: recommendedFacts(recommended, row, translate) }),
    ...(row.loaded ? [loadedMark(row)] : []),
  );
}

/** @param {ModelRow} row */
function renderSteps(row) {
  const link = /** @type {HTMLAnchorElement} */ (find(steps, "a"));
  link.href = hubPage(row.id);
  link.textContent = translate("step_licence_link", { id: row.id });
  for (const step of ["licence", "token"]) {
    find(steps, `[data-step=${step}]`).hidden = row.here;
  }
  const hadFocus =
    steps.contains(document.activeElement) && document.activeElement?.matches(".load");
  find(steps, ".end").replaceChildren(...(row.loaded ? [] : [loadButton(row)]));
  if (hadFocus) focusLoad();
}

function focusLoad() {
  const button = steps.querySelector(".load");
  if (button instanceof HTMLElement) button.focus({ preventScroll: true });
}

/** @param {TokenState} token */
function renderToken(token) {
  find(door, ".source").textContent = tokenText(token, translate);
  tokenForm.hidden = !token.taken || token.source === "given";
  find(door, ".or").hidden = !token.taken || token.source !== "none";
  forgetButton.hidden = !token.taken || token.source !== "given";
}

// The step that the last failure was about is marked.
/** @param {Outcome | null} outcome */
export function markFault(outcome) {
  const fault = outcome?.result === "failed" ? faultyStep(outcome.code) : "";
  for (const step of ["licence", "token"]) {
    find(steps, `[data-step=${step}]`).classList.toggle("fault", step === fault);
  }
}

/**
 * What the app says to a token, or to forgetting it; the sentence of a refusal is the dialog's.
 * @param {RequestInit} request
 */
async function changeToken(request) {
  const address = new URL("model/token", document.baseURI);
  const answer = await fetch(address, request).catch(() => null);
  const told = await answer?.json().catch(() => null);
  const isDone = Boolean(answer?.ok && told);
  if (isDone) renderToken(told);
  announceToken(isDone ? "" : (told?.message ?? translate("token_failed")));
  return isDone;
}

/** @param {string} message of a refusal; "" where there is none */
function announceToken(message) {
  element.dispatchEvent(new CustomEvent("gv-token", { detail: message }));
}

/** @param {string} token */
async function giveToken(token) {
  if (!canBeToken(token)) {
    announceToken(translate("token_form"));
    return false;
  }
  const headers = { "Content-Type": "application/json" };
  return changeToken({ method: "POST", headers, body: JSON.stringify({ token }) });
}

tokenForm.addEventListener("submit", async (event) => {
  event.preventDefault();
  const token = tokenField.value.trim();
  tokenField.value = "";
  if (await giveToken(token)) focusLoad();
  else tokenField.focus();
});
forgetButton.addEventListener("click", async () => {
  if (await changeToken({ method: "DELETE" })) tokenField.focus();
});

function renderDoorWords() {
  find(door, "[data-step=licence] p").textContent = translate("step_licence");
  find(door, "[data-step=load] p").textContent = translate("step_load");
  find(door, ".give label").textContent = translate("token_field");
  find(door, ".give button").textContent = translate("token_use");
  find(door, ".or").textContent = translate("token_or");
  forgetButton.textContent = translate("token_forget");
}

onLanguage(renderDoorWords);
renderDoorWords();
