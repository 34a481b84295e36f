// The list of checkpoints: a dialog of its own over the page. Runs behind header.js and shares its
// words and its state. Everything is written as texts.

const models = element.querySelector(".gv-models");
const part = (name) => models.querySelector(name);

function make(kind, name, text) {
  const one = document.createElement(kind);
  if (name) one.className = name;
  if (text) one.textContent = text;
  return one;
}

function button(row) {
  const load = make("button", "load", word("models_load"));
  load.type = "button";
  load.disabled = !row.fits || state.state === "loading";
  load.setAttribute("aria-label", word("models_load_named", { id: row.id }));
  load.addEventListener("click", () => choose(row.id));
  return load;
}

function line(row) {
  const item = make("li", row.loaded ? "loaded" : "");
  const size = row.here ? bytes(row.bytes) : word("models_fetch", { size: bytes(row.bytes) });
  const licence = row.licence && word("models_licence", { licence: row.licence });
  const facts = [row.parameters && count(row.parameters), row.side && `${row.side} px`, row.parameters && size, licence];
  const end = make("div", "end");
  const told = make("span", "facts", facts.filter(Boolean).join(" · "));
  if (!row.fits && !row.loaded) told.append(" · ", make("span", "large", word("models_needs", { need: bytes(row.need) })));
  end.append(row.loaded ? make("span", "mark", word("models_loaded")) : button(row));
  item.dataset.id = row.id;
  item.append(make("b", "", row.id), told, make("span", "tasks", row.tasks.map((task) => word(task)).join(", ")), end);
  return item;
}

function showList() {
  const rows = props.value?.rows ?? [];
  const groups = new Map();
  for (const row of rows) {
    const title = row.here ? word("models_here") : row.title;
    if (!groups.has(title)) groups.set(title, []);
    groups.get(title).push(line(row));
  }
  const list = part(".list");
  const top = list.scrollTop;
  const held = document.activeElement?.closest?.("li")?.dataset.id;
  list.replaceChildren(
    ...[...groups].flatMap(([title, lines]) => {
      const group = make("ul");
      group.append(...lines);
      return [make("h3", "", title), group];
    }),
  );
  list.scrollTop = top;
  if (held && models.open) list.querySelector(`li[data-id="${CSS.escape(held)}"] button:not(:disabled)`)?.focus();
  part(".room").textContent = props.value?.room ? word("models_room", { room: bytes(props.value.room), device: state.device ?? "" }) : "";
}

function phase(change) {
  const inBytes = change.phase === "fetching";
  const key = inBytes && !change.total ? "phase_asking" : `phase_${change.phase}`;
  const number = (n) => (inBytes ? bytes(n) : String(n));
  return word(key, { id: change.id, done: number(change.done), total: number(change.total) });
}

function showNow() {
  const change = state.change;
  const bar = part("progress");
  part(".now").hidden = !change;
  part(".typed button").disabled = Boolean(change);
  if (!change) return;
  part(".now p").textContent = phase(change);
  part(".cancel").disabled = change.phase === "returning";
  bar.setAttribute("aria-label", word("models_loading", { id: change.id }));
  if (percent(change) === null) bar.removeAttribute("value");
  else bar.value = change.done / change.total;
}

function note(text, result = "failed") {
  part(".note").textContent = text;
  part(".note").dataset.result = result;
}

function choose(name) {
  note("");
  tell(null);
  trigger("choose", { name });
}

let was = state.state;
element.addEventListener("gv-state", ({ detail }) => {
  const isOther = was !== state.state;
  was = state.state;
  showNow();
  if (!models.open) return;
  if (detail.isNews) note(sentence(state.outcome), state.outcome.result);
  if (detail.isNews || isOther) trigger("look", {});
});

watch("value", () => {
  note(props.value?.note || part(".note").textContent, props.value?.note ? "failed" : part(".note").dataset.result);
  look().catch(() => {}).then(showList);
});

part("h2").textContent = word("models_title");
part(".close").setAttribute("aria-label", word("models_close"));
part(".typed label").textContent = word("models_typed");
part(".typed button").textContent = word("models_load");
part(".cancel").textContent = word("models_cancel");
part(".typed").hidden = !props.may_type;
pill.addEventListener("click", () => {
  note("");
  showNow();
  showList();
  models.showModal();
  trigger("look", {});
});
part(".close").addEventListener("click", () => models.close());
models.addEventListener("click", (event) => event.target === models && models.close());
part(".cancel").addEventListener("click", () => trigger("cancel", {}));
part(".typed").addEventListener("submit", (event) => {
  event.preventDefault();
  if (part(".typed input").value.trim()) choose(part(".typed input").value.trim());
});
