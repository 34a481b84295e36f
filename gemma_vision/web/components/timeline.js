// When each object was seen: a track for each, with bars that lead to that moment of the video.

import { find, make, renderLive, translator } from "./lib/lib.js";
import { playheadOffset, spanStyle } from "./timeline_geometry.js";

const panel = find(element, ".gv-lanes");
const list = find(panel, "ol");
const translate = translator(props.words);

/** @returns {HTMLVideoElement | null} */
function player() {
  return document.querySelector("#video-result video");
}

/** @param {number} seconds */
function seekTo(seconds) {
  const video = player();
  if (video) video.currentTime = seconds + 0.001; // behind the border between two frames
  trigger("seek", { seconds }); // the frame that was looked at opens in the viewer
}

/**
 * @param {TrackedObject} object
 * @param {Span} span
 * @param {number} seconds of the whole video
 */
function spanBar(object, span, seconds) {
  const title = translate("lane", {
    name: `${object.id} ${object.label}`,
    from: span[0].toFixed(1),
    to: span[1].toFixed(1),
  });
  const attributes = { type: "button", title, "aria-label": title };
  const bar = make("button", { ...attributes, onclick: () => seekTo(span[0]) });
  Object.assign(bar.style, spanStyle(span, seconds));
  return bar;
}

/**
 * @param {TrackedObject} object
 * @param {number} seconds
 */
function trackRow(object, seconds) {
  const name = `${object.id} ${object.label}`;
  const bars = object.spans.map((span) => spanBar(object, span, seconds));
  const row = make(
    "li",
    {},
    make("span", { class: "name", title: name, text: name }),
    make("div", { class: "track" }, ...bars, make("i")),
  );
  row.style.setProperty("--lane", object.color);
  return row;
}

function renderTimeline() {
  const value = props.value;
  /** @type {TrackedObject[]} */
  const objects = value?.objects ?? [];
  panel.hidden = objects.length === 0;
  list.replaceChildren(...objects.map((object) => trackRow(object, value.seconds || 1)));
  list.setAttribute("aria-label", translate("lanes"));
  find(panel, ".more").textContent = value?.more ? translate("lanes_more", { n: value.more }) : "";
}

/** @param {Event} event */
function movePlayhead(event) {
  const video = player();
  const seconds = props.value?.seconds;
  if (!video || event.target !== video || !seconds) return;
  panel.dataset.playing = "";
  panel.style.setProperty("--now", playheadOffset(video.currentTime, seconds));
}

// These events do not bubble.
for (const name of ["timeupdate", "seeked"]) document.addEventListener(name, movePlayhead, true);
watch("value", () => {
  if (!player()) delete panel.dataset.playing;
});
renderLive(renderTimeline);
