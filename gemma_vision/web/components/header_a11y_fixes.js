// Three things that Gradio's fields do to those who use a keyboard or listen, put right.
// Its radio buttons each bear a name of their own, so that arrow keys do not move between them and
// none is announced as "2 of 6". Its file field puts the upload button into another button and
// names that one by a key nobody translated; the outer one becomes a mere group. And it calls its
// buttons by English words in every language, and ticks by the name that a program knows them by.

import { translate } from "./header.js";
import { find, onLanguage } from "./lib/lib.js";

const NESTED_BUTTONS = ".icon-button:has(.upload-container)";
const TICKS = "label input[type=checkbox][title]";
const INVITATIONS = ".wrap:has(> .icon-wrap)"; // of a field that is empty
const NUMBERED = "[title^='Line number ']"; // of a line of JSON, where the number is to be seen
const NAMES = ["aria-label", "title"];
/** @type {Record<string, string>} */
const GRADIO_WORDS = {
  Fullscreen: "gradio_fullscreen",
  "Remove Image": "gradio_remove_image",
  "Upload file": "gradio_upload",
  "Capture from camera": "gradio_camera",
  "Paste from clipboard": "gradio_paste",
  "Reset to default value": "gradio_reset",
  Copy: "gradio_copy",
  Collapse: "gradio_collapse",
  Expand: "gradio_expand",
  "Gradio footer navigation": "gradio_footer",
  Clear: "gradio_clear",
  "Remove this file": "gradio_remove_file",
  "play-pause-replay-button": "gradio_play",
  "Adjust volume": "gradio_volume",
  "full-screen": "gradio_full_screen",
  undo: "gradio_undo",
  "Reset video to initial value": "gradio_reset_video",
  "Trim video to selection": "gradio_trim",
  Download: "gradio_download",
  "Drop Image Here": "gradio_drop_image",
  "Drop File Here": "gradio_drop_file",
  "Drop Video Here": "gradio_drop_video",
  "- or -": "gradio_or",
  "Click to Upload": "gradio_click_upload",
  "Click to upload or drop files": "gradio_upload_or_drop",
  "Drop a video file here to upload": "gradio_drop_video_here",
  "Multimedia input field": "gradio_message",
  Submit: "gradio_submit",
  "Upload a file": "gradio_add_file",
  "Click to Access Webcam": "gradio_webcam",
};

/** @type {WeakMap<Node, Record<string, { key: string, text: string }>>} */
const renamed = new WeakMap(); // what was written where, to be written anew in another language

let numGroups = 0;

/** @param {HTMLElement} group */
function joinRadios(group) {
  if (!group.dataset.radios) {
    numGroups += 1;
    group.dataset.radios = `radios-${numGroups}`; // two groups never share one
  }
  const name = group.dataset.radios;
  const title = group.querySelector("[data-testid=block-info]");
  if (title) {
    title.id = `${name}-title`;
    group.setAttribute("aria-labelledby", title.id);
  }
  for (const radio of group.querySelectorAll("input"))
    if (radio.type === "radio" && radio.name !== name) radio.name = name;
}

/** @param {HTMLElement} outer */
function ungroupButton(outer) {
  outer.setAttribute("role", "group");
  outer.tabIndex = -1;
  outer.title = translate("add_files");
  outer.setAttribute("aria-label", outer.title);
  find(outer, ".upload-container").setAttribute("aria-label", outer.title);
}

/**
 * What is to stand there in the page's language; null where it is none of Gradio's words.
 * @param {Node} node
 * @param {string} name of an attribute, or "text"
 * @param {string | null} now
 */
function wordInLanguage(node, name, now) {
  if (now === null) return null;
  const before = renamed.get(node) ?? {};
  const own = before[name]?.text === now ? before[name].key : undefined;
  const key = Object.hasOwn(GRADIO_WORDS, now) ? GRADIO_WORDS[now] : own;
  if (!key) return null;
  const text = translate(key);
  renamed.set(node, { ...before, [name]: { key, text } });
  return text;
}

/** @param {HTMLElement} node */
function renameInLanguage(node) {
  for (const name of NAMES) {
    const now = node.getAttribute(name);
    const text = wordInLanguage(node, name, now);
    if (text !== null && text !== now) node.setAttribute(name, text);
  }
}

/** @param {HTMLElement} place */
function inviteInLanguage(place) {
  const texts = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  let first = "";
  while (texts.nextNode()) {
    const node = texts.currentNode;
    const now = node.textContent?.trim() ?? "";
    const text = wordInLanguage(node, "text", now);
    if (text !== null && text !== now) node.textContent = ` ${text} `;
    first ||= text ?? now;
  }
  const zone = place.closest("button[aria-label]"); // whose name keeps the language it came in
  if (first && zone && zone.getAttribute("aria-label") !== first)
    zone.setAttribute("aria-label", first);
}

/** @param {HTMLElement} tick */
function nameTick(tick) {
  tick.title = tick.closest("label")?.textContent?.trim() ?? "";
}

/**
 * @param {string} selector
 * @param {(node: HTMLElement) => void} fix
 */
function fixAll(selector, fix) {
  for (const node of document.querySelectorAll(selector)) fix(/** @type {HTMLElement} */ (node));
}

function applyFixes() {
  fixAll("fieldset:has(input[type=radio])", joinRadios);
  fixAll(NESTED_BUTTONS, ungroupButton);
  fixAll(TICKS, nameTick);
  fixAll(NUMBERED, (node) => node.removeAttribute("title"));
  fixAll("[aria-label], [title]", renameInLanguage);
  fixAll(INVITATIONS, inviteInLanguage);
}

// Before the next frame: a field that is shown anew has lost its fixes.
let isQueued = false;
new MutationObserver(() => {
  if (isQueued) return;
  isQueued = true;
  requestAnimationFrame(() => {
    isQueued = false;
    applyFixes();
  });
}).observe(document.body, { childList: true, subtree: true, attributeFilter: ["name"] });
onLanguage(applyFixes);
