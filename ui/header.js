// The header's texts. The checkpoint's name is whatever folder somebody named.

const tongue = (navigator.language || "en").startsWith("ja") ? "ja" : "en";
const size = props.parameters
  ? ` · ${props.parameters >= 1e9 ? `${(props.parameters / 1e9).toFixed(1)} B` : `${(props.parameters / 1e6).toFixed(1)} M`}`
  : "";
element.querySelector("p").textContent = props.words[tongue].tagline;
element.querySelector(".model").textContent = props.model + size;
