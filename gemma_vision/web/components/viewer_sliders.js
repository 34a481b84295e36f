// The viewer's sliders: what each is set to, on the scene, on the slider and in words beside it.

import { find } from "./lib/lib.js";
import { scene } from "./viewer_scene.js";
import { sliderText } from "./viewer_wipe.js";

/**
 * @param {SliderName} name
 * @returns {HTMLInputElement}
 */
export function sliderOf(name) {
  return /** @type {HTMLInputElement} */ (find(element, `[data-slide=${name}]`));
}

/**
 * @param {SliderName} name
 * @param {number} value
 */
export function setSlider(name, value) {
  const slider = sliderOf(name);
  scene.options[name] = value;
  if (Number(slider.value) !== value) slider.value = String(value);
  const text = sliderText(name, value);
  slider.setAttribute("aria-valuetext", text);
  find(/** @type {ParentNode} */ (slider.parentNode), "output").textContent = text;
}
