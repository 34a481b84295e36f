// A conversation. Messages are written as texts; images are files of this app.

import { chatStatus } from "./chat_text.js";
import { find, make, renderLive, translator } from "./lib/lib.js";

const panel = find(element, ".gv-talk");
const list = find(panel, "ol");
const statusLine = find(element, ".gv-talk-status");
const translate = translator(props.words);
panel.tabIndex = 0;

/**
 * @param {Element} item
 * @param {ChatMessage} message
 */
function renderMessage(item, { role, text, thought, file }) {
  item.className = file ? `${role} picture` : role;
  if (thought) {
    const details =
      item.querySelector("details") ?? make("details", {}, make("summary"), make("p"));
    find(details, "summary").textContent = translate("thought");
    find(details, "p").textContent = thought;
    const words = item.querySelector("span") ?? make("span");
    words.textContent = text;
    if (!details.isConnected) item.replaceChildren(details, words);
    return;
  }
  if (!file) {
    if (item.textContent !== text || item.firstElementChild) item.textContent = text;
    return;
  }
  const image = item.querySelector("img") ?? make("img");
  if (image.src !== file.url) image.src = file.url;
  image.alt = translate("picture");
  if (!image.isConnected) item.replaceChildren(image);
}

// Items are kept while messages grow, so that a selection in them stays.
function renderMessages() {
  /** @type {ChatMessage[]} */
  const messages = props.value?.messages || [];
  find(panel, ".hint").textContent = translate("chat_empty");
  panel.setAttribute("aria-label", translate("tab_chat"));
  panel.dataset.state = messages.length ? "talking" : "empty";
  while (list.children.length > messages.length) list.lastElementChild?.remove();
  for (const [place, message] of messages.entries())
    renderMessage(list.children[place] ?? list.appendChild(make("li")), message);
  panel.scrollTop = panel.scrollHeight;
  statusLine.dataset.state = props.value?.state ?? "";
  statusLine.textContent = chatStatus(props.value, translate);
}

renderLive(renderMessages);
