// The example cards. Pictures are data addresses, words go through textContent.

const tongue = (navigator.language || "en").startsWith("ja") ? "ja" : "en";
const word = (key) => props.words[tongue][key] ?? key;
element.querySelector("h2").textContent = word("examples");

const buttons = props.cards.map((card, index) => {
  const button = document.createElement("button");
  const picture = document.createElement("img");
  const caption = document.createElement("span");
  const task = document.createElement("b");
  button.type = "button";
  picture.src = card.src;
  picture.alt = "";
  task.textContent = word(card.task);
  caption.append(task, card.text ? ` ${card.text}` : "");
  button.append(picture, caption);
  button.addEventListener("click", () => trigger("pick", { index }));
  element.querySelector(".cards").append(button);
  return button;
});

function show() {
  const tasks = props.value?.tasks ?? [];
  buttons.forEach((button, index) => (button.hidden = !tasks.includes(props.cards[index].task)));
  element.querySelector("section").hidden = buttons.every((button) => button.hidden);
}

watch("value", show);
show();
