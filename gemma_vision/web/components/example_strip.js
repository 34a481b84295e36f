// The example cards. Images are data addresses, words go through textContent.

import { keepSeparators } from "./lib/format.js";
import { find, make, renderLive, translator } from "./lib/lib.js";

const translate = translator(props.words);
/** @type {ExampleCard[]} */
const cards = props.cards;

const buttons = cards.map(({ src, text }, index) => {
  const words = [make("b"), make("span", { class: "words", text: keepSeparators(text) })];
  return make(
    "button",
    { type: "button", onclick: () => trigger("pick", { index }) },
    make("img", { src, alt: "" }),
    make("span", {}, ...words),
  );
});
find(element, ".cards").append(...buttons);

/**
 * Whether a checkpoint that lists its names knows one that a card asks for.
 * @param {ExampleCard} card
 * @param {string[]} names
 */
function isKnown({ task, text }, names) {
  const isNaming = task === "detect" || task === "segment";
  return !isNaming || !names.length || text.split(";").some((one) => names.includes(one.trim()));
}

// Cards of a task that the loaded checkpoint cannot do, or of names it does not know, are hidden.
function renderCards() {
  find(element, "h2").textContent = translate("examples");
  const tasks = props.value?.tasks ?? [];
  const names = props.value?.names ?? [];
  buttons.forEach((button, index) => {
    find(button, "b").textContent = translate(cards[index].task);
    button.hidden = !tasks.includes(cards[index].task) || !isKnown(cards[index], names);
  });
  find(element, "section").hidden = buttons.every((button) => button.hidden);
}

renderLive(renderCards);
