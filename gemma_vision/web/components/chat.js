// A conversation. What was said is written as texts; pictures are files of this app.

const panel = element.querySelector(".gv-talk");
const list = panel.querySelector("ol");
const tongue = (navigator.language || "en").startsWith("ja") ? "ja" : "en";
const words = props.words[tongue];
panel.querySelector(".hint").textContent = words.chat_empty;
panel.setAttribute("aria-label", words.tab_chat);
panel.tabIndex = 0;

function fill(item, { role, text, file }) {
  item.className = file ? `${role} picture` : role;
  if (!file) {
    if (item.textContent !== text || item.firstElementChild) item.textContent = text;
    return;
  }
  const image = item.querySelector("img") || document.createElement("img");
  if (image.src !== file.url) image.src = file.url;
  image.alt = words.picture;
  if (!image.isConnected) item.replaceChildren(image);
}

function show() {
  const messages = props.value?.messages || [];
  panel.dataset.state = messages.length ? "talking" : "empty";
  while (list.children.length > messages.length) list.lastElementChild.remove();
  messages.forEach((message, place) =>
    fill(list.children[place] || list.appendChild(document.createElement("li")), message),
  );
  panel.scrollTop = panel.scrollHeight;
}

watch("value", show);
show();
