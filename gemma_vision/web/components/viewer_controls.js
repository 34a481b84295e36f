// The viewer's switches, sliders and choices, each with its effect on the scene.

import { find } from "./lib/lib.js";
import { applyFilters, renderLists } from "./viewer.js";
import { repaint, scene } from "./viewer_scene.js";
import { setSlider, sliderOf } from "./viewer_sliders.js";

/** @type {SliderName[]} */
const SLIDERS = ["opacity", "score", "wipe", "line"];

for (const name of SLIDERS) {
  const slider = sliderOf(name);
  setSlider(name, scene.options[name]);
  slider.addEventListener("input", () => {
    setSlider(name, Number(slider.value));
    if (name === "score") {
      applyFilters();
      renderLists();
    }
    repaint();
  });
}

for (const node of element.querySelectorAll("[data-switch]")) {
  const button = /** @type {HTMLElement} */ (node);
  button.addEventListener("click", () => {
    const name = /** @type {"boxes" | "masks" | "labels"} */ (button.dataset.switch);
    scene.options[name] = !scene.options[name];
    button.setAttribute("aria-pressed", String(scene.options[name]));
    repaint();
  });
}

const groundChoice = /** @type {HTMLSelectElement} */ (find(element, "[data-choose]"));
groundChoice.addEventListener("change", () => {
  scene.options.ground = /** @type {DrawOptions["ground"]} */ (groundChoice.value);
  repaint();
});
