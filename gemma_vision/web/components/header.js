// The header's texts, and the state of the checkpoint that answers. Names are whatever folder
// somebody named: they are written as texts.

const tongue = (navigator.language || "en").startsWith("ja") ? "ja" : "en";
const word = (key, values = {}) =>
  (props.words[tongue][key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
const pill = element.querySelector(".model");
const told = element.querySelector(".told");
const IDLE = 2500, BUSY = 350, TOLD = 9000; // milliseconds between two looks; a sentence stays
let state = props.state;
let revision = state.revision;
let ended = null; // how many choices had ended at the last look
let telling;

const count = (n) => (n >= 1e9 ? `${(n / 1e9).toFixed(1)} B` : `${(n / 1e6).toFixed(1)} M`);
const bytes = (n) =>
  n >= 2 ** 30 ? `${(n / 2 ** 30).toFixed(1)} GiB` : `${Math.max(n / 2 ** 20, 0.1).toFixed(n < 10 * 2 ** 20 ? 1 : 0)} MiB`;
const shortName = (id) => id.split(/[\\/]/).filter(Boolean).pop() ?? id; // of a Hub id or a folder
const percent = (change) => (change.total ? Math.min(100, Math.floor((100 * change.done) / change.total)) : null);

function sentence(outcome) {
  return word(`outcome_${outcome.result}`, { id: outcome.id, why: outcome.why, model: state.id });
}

function showPill() {
  const change = state.change;
  const part = change ? percent(change) : null;
  const facts = [shortName(state.id), state.parameters && count(state.parameters), state.device, state.dtype];
  const loading = change && [word("models_loading", { id: shortName(change.id) }), part !== null && word("models_percent", { percent: part })];
  pill.dataset.state = state.state;
  pill.querySelector("span").textContent = (loading || (state.state === "none" ? [word("models_none")] : facts)).filter(Boolean).join(" · ");
  pill.title = props.freedom === "fixed" ? state.id : `${state.id}: ${word("models_open")}`;
}

function tell(outcome) {
  const isCovered = element.querySelector("dialog[open]"); // which says it itself
  told.textContent = outcome && !isCovered ? sentence(outcome) : "";
  told.dataset.result = outcome?.result ?? "";
  clearTimeout(telling);
  telling = setTimeout(() => tell(null), TOLD);
}

function take(now) {
  const number = now.outcome?.number ?? 0;
  const isNews = ended !== null && number !== ended;
  state = now;
  ended = number;
  showPill();
  if (isNews) tell(now.outcome);
  if (now.revision !== revision) {
    revision = now.revision;
    trigger("swapped", {});
  }
  element.dispatchEvent(new CustomEvent("gv-state", { detail: { isNews } }));
}

async function look() {
  if (document.visibilityState === "hidden") return;
  const answer = await fetch(new URL("model", document.baseURI));
  if (answer.ok) take(await answer.json());
}

async function keepLooking() {
  await look().catch(() => {}); // the app is away for a moment
  setTimeout(keepLooking, state.state === "loading" ? BUSY : IDLE);
}

element.querySelector("p").textContent = word("tagline");
showPill();
if (props.freedom !== "fixed") {
  pill.disabled = false;
  pill.setAttribute("aria-haspopup", "dialog");
  document.addEventListener("visibilitychange", () => look().catch(() => {}));
  keepLooking();
}
