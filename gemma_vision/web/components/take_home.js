// Files of a result, made when one asks for them, and the request as code.

import { find, make, onLanguage, renderLive, translator } from "./lib/lib.js";

const COPIED = 1500; // milliseconds that a button says what came of it

const translate = translator(props.words);
const root = find(element, ".gv-home");
const kinds = find(element, ".kinds");
const stateLine = find(element, ".state");
const code = /** @type {HTMLDetailsElement} */ (find(element, ".code"));
const language = /** @type {HTMLSelectElement} */ (find(element, "select"));
const sheet = find(element, "pre");
const copyButton = find(element, ".copy");

/** @type {Record<string, string> | null} */
let snippets = null; // of this result, once they are asked for
/** @type {string | null} */
let currentRun = null;

function renderMenu() {
  /** @type {TakeHomeValue | null} */
  const value = props.value;
  if (!value) {
    root.hidden = true;
    currentRun = null;
  } else if (value.run) startResult(value.run, value.kinds ?? [], Boolean(value.code));
  else if (value.snippets) renderSnippets(value.snippets);
  else if (value.kind) finishFile(value);
}

/**
 * @param {string} run
 * @param {string[]} offered
 * @param {boolean} hasCode
 */
function startResult(run, offered, hasCode) {
  root.hidden = false;
  if (run === currentRun) return;
  currentRun = run;
  snippets = null;
  kinds.replaceChildren(...offered.map(newButton));
  say("");
  code.hidden = !hasCode;
  if (code.open) askForSnippets();
}

/** @param {string} kind */
function newButton(kind) {
  const text = translate(`home_${kind}`);
  const take = () => {
    button.setAttribute("aria-busy", "true");
    say(translate("home_making"));
    trigger("take", { kind });
  };
  const button = make("button", { type: "button", "data-kind": kind, text, onclick: take });
  return button;
}

/** @param {TakeHomeValue} value */
function finishFile({ file, name = "", error = "" }) {
  for (const button of kinds.children) button.removeAttribute("aria-busy");
  if (!file) {
    say(error);
    stateLine.classList.add("bad");
    return;
  }
  const link = make("a", { href: file.url, download: name, text: name });
  say(`${translate("home_ready")} `);
  stateLine.append(link); // for whoever's browser waits for a click of their own
  link.click();
}

/** @param {string} text */
function say(text) {
  stateLine.classList.remove("bad");
  stateLine.textContent = text;
}

function askForSnippets() {
  trigger("write", { address: location.origin + location.pathname });
}

/** @param {Record<string, string>} written by language */
function renderSnippets(written) {
  const chosen = language.value;
  snippets = written;
  const names = Object.keys(written);
  language.replaceChildren(
    ...names.map((name) => make("option", { value: name, text: translate(`code_${name}`) })),
  );
  if (names.includes(chosen)) language.value = chosen;
  renderSheet();
}

function renderSheet() {
  sheet.textContent = snippets?.[language.value] ?? "";
}

async function copySheet() {
  const copied = navigator.clipboard?.writeText(sheet.textContent ?? "");
  const key = await Promise.resolve(copied ?? Promise.reject()).then(
    () => "copied",
    () => "copy_failed",
  );
  copyButton.textContent = translate(key);
  setTimeout(() => {
    copyButton.textContent = translate("copy");
  }, COPIED);
}

function renderWords() {
  for (const node of element.querySelectorAll("[data-say]"))
    node.textContent = translate(/** @type {HTMLElement} */ (node).dataset.say ?? "");
  kinds.setAttribute("aria-label", translate("home_title"));
  sheet.setAttribute("aria-label", translate("code_title"));
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (
    kinds.querySelectorAll("[data-kind]")
  ))
    button.textContent = translate(`home_${button.dataset.kind}`);
  if (snippets) renderSnippets(snippets);
}

onLanguage(renderWords);
renderWords();
code.addEventListener("toggle", () => {
  if (code.open && !snippets) askForSnippets();
});
language.addEventListener("change", renderSheet);
copyButton.addEventListener("click", copySheet);
renderLive(renderMenu);
