// In what two answers differ, told as a text.

const line = element.querySelector(".gv-differences");
const tongue = (navigator.language || "en").startsWith("ja") ? "ja" : "en";
const word = (key, values = {}) =>
  (props.words[tongue][key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));

function tell(value) {
  if (!value) return word("compare_empty");
  if (value.note) return value.note;
  if (value.state) return word(`state_${value.state}`);
  if (value.same) return word("compare_same");
  const parts = [word("compare_both", value), word("compare_left", value), word("compare_right", value)];
  if (value.overlap !== null) parts.push(word("compare_overlap", { n: value.overlap.toFixed(2) }));
  return value.both + value.left + value.right ? parts.join(" · ") : word("compare_words");
}

function show() {
  line.textContent = tell(props.value);
  line.classList.toggle("bad", Boolean(props.value?.note));
}

watch("value", show);
show();
