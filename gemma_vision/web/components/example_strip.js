// The example cards. Images are data addresses, words go through textContent.

import { find, make, renderLive, translator } from "./lib/lib.js";

const translate = translator(props.words);
/** @type {ExampleCard[]} */
const cards = props.cards;

const buttons = cards.map(({ src, text }, index) => {
  const words = [make("b"), make("span", { class: "words", text })];
  return make(
    "button",
    { type: "button", onclick: () => trigger("pick", { index }) },
    make("img", { src, alt: "" }),
    make("span", {}, ...words),
  );
});
find(element, ".cards").append(...buttons);

// Cards of a task that the loaded checkpoint cannot do are hidden.
function renderCards() {
  find(element, "h2").textContent = translate("examples");
  const tasks = props.value?.tasks ?? [];
  buttons.forEach((button, index) => {
    find(button, "b").textContent = translate(cards[index].task);
    button.hidden = !tasks.includes(cards[index].task);
  });
  find(element, "section").hidden = buttons.every((button) => button.hidden);
}

renderLive(renderCards);
