// The progress of a batch or a video: numbers and sentences, written as texts.

const panel = element.querySelector(".gv-progress");
const tongue = (navigator.language || "en").startsWith("ja") ? "ja" : "en";
const word = (key, values = {}) =>
  (props.words[tongue][key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));

function show() {
  const value = props.value || { state: "empty", notes: [] };
  const bar = panel.querySelector("progress");
  const kind = value.left === undefined ? "facts" : "facts_left";
  const counts = value.total === undefined ? "" : word(`${props.kind}_${kind}`, value);
  const also = value.also ? word(value.also, value) : "";
  panel.dataset.state = value.state;
  bar.max = value.total || 1;
  bar.value = value.done || 0;
  bar.setAttribute("aria-label", word("results"));
  panel.querySelector(".facts").textContent =
    value.state === "empty" ? word(`${props.kind}_empty`) : [word(`state_${value.state}`), counts, also].filter(Boolean).join(" · ");
  panel.querySelector("ul").replaceChildren(
    ...value.notes.map((note) => {
      const line = document.createElement("li");
      line.textContent = note;
      return line;
    }),
  );
}

watch("value", show);
show();
