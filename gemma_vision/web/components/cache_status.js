// One line in the visitor's language: how many pictures are remembered, and of what use that was.

const line = element.querySelector(".gv-remembered");
const tongue = (navigator.language || "en").startsWith("ja") ? "ja" : "en";

function show() {
  line.textContent = (props.value || {})[tongue] || "";
}

watch("value", show);
show();
