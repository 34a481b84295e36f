// Frame by frame: the newest is sent, and shown with what was found in it. One is on its way at a
// time; those that the camera takes meanwhile are let go.

import { noteText } from "./lib/lib.js";
import { updateThings } from "./viewer.js";
import { encodeFrame, FrameRefusal, grabFrame, sendFrame } from "./viewer_live_frames.js";
import { FrameRate } from "./viewer_live_rate.js";
import { live, say, tell, video, writeTextsSoon } from "./viewer_live_scene.js";
import { repaint, scene } from "./viewer_scene.js";
import { groupLabels } from "./viewer_text.js";
import { resize } from "./viewer_zoom.js";

const AWAY = 2000; // milliseconds after which an app that did not answer is tried again
const LOOK = 250; // milliseconds between two looks at whether to go on
const PREVIEW = 90; // milliseconds between two of the camera's own pictures
const TOO_SLOW = 1500; // milliseconds behind from which on somebody is told so

let shownAt = 0; // when the camera's own picture was painted last
let isFresh = false; // the camera has a frame that was not looked at
/** @type {() => void} */
let wake = () => {};

// Called for each frame of the camera. Until there are answers, and where they come slowly, the
// camera's own picture moves under the things that were found last.
export function takeFrame() {
  if (live.running.signal.aborted) return;
  isFresh = true;
  wake();
  const now = performance.now();
  if ((!live.rate.count || live.rate.isSlow) && now - shownAt > PREVIEW) {
    shownAt = now;
    scene.bitmap = video;
    repaint();
  }
  nextFrame(takeFrame);
}

/** @param {() => void} callback */
function nextFrame(callback) {
  if ("requestVideoFrameCallback" in video) video.requestVideoFrameCallback(callback);
  else requestAnimationFrame(callback);
}

export function wakeUp() {
  wake();
}

/** @param {number} [most] milliseconds; else until something happens */
function pause(most) {
  return new Promise((resolve) => {
    wake = () => resolve(undefined);
    if (most !== undefined) setTimeout(wake, most);
  });
}

/** @param {AbortSignal} signal */
export async function look(signal) {
  while (!signal.aborted) {
    if (!isFresh || document.visibilityState === "hidden") await pause(LOOK);
    else if (!String(live.form.words ?? "").trim()) await askForWords();
    else await lookOnce(signal).catch((error) => rest(error, signal));
  }
}

async function askForWords() {
  tell(() => say("no_words"));
  clearThings();
  await pause(LOOK);
}

/** @param {AbortSignal} signal */
async function lookOnce(signal) {
  isFresh = false;
  const [taken, asked] = [performance.now(), JSON.stringify(live.form)];
  const frame = grabFrame(video, live.frames[1]);
  const picture = await encodeFrame(frame, live.side);
  if (!picture || signal.aborted) return;
  const { task, words, ...form } = live.form;
  await sendFrame({ page: live.page, task, words, form }, picture, signal, (answer) => {
    if (!signal.aborted && asked === JSON.stringify(live.form)) showAnswer(answer, frame, taken);
  });
}

/**
 * @param {FrameAnswer} answer
 * @param {HTMLCanvasElement} frame
 * @param {number} taken when, in milliseconds
 */
function showAnswer(answer, frame, taken) {
  const { rate } = live;
  const { width, height, finish, things, partial } = answer;
  if (finish) rate.add(performance.now(), performance.now() - taken);
  const isOther = scene.picture?.width !== width || scene.picture.height !== height;
  scene.picture = { width, height };
  if (isOther) resize(true);
  if (finish && !rate.isSlow) {
    scene.bitmap = frame;
    live.frames = [frame, live.frames[0]];
  }
  live.side = answer.side;
  // Until a frame's answer is whole, what was found in the one before stands in for the rest.
  const others = finish ? [] : live.found.slice(things.length);
  if (finish) live.found = things;
  updateThings({ instances: [...things, ...others], left_out: [], partial });
  scene.listed = groupLabels(scene.things, scene.listed);
  repaint();
  if (finish) tell(() => remark(answer));
  writeTextsSoon();
}

/**
 * What is said of a frame that was looked at.
 * @param {FrameAnswer} answer
 */
function remark({ notes }) {
  const { delay } = live.rate;
  if (delay > TOO_SLOW) return say("slow", { n: (delay / 1000).toFixed(1) });
  return notes.map((one) => noteText(one)).join(" ");
}

/**
 * After a frame that was not looked at: what is said, and when the next one is sent. A wish that
 * cannot be met waits for another one.
 * @param {unknown} error
 * @param {AbortSignal} signal
 */
async function rest(error, signal) {
  const refusal = error instanceof FrameRefusal ? error : null;
  if (signal.aborted || refusal?.code === "E_STOPPED") return; // a newer frame took its place
  if (!refusal) tell(() => say("away"), true);
  else if (refusal.code === "E_BUSY") tell(() => say("busy"));
  else tell(() => noteText(`${refusal.code}: ${refusal.message}`), true);
  clearThings();
  const asked = JSON.stringify(live.form);
  const until = performance.now() + (refusal ? refusal.wait || Number.POSITIVE_INFINITY : AWAY);
  while (!signal.aborted && asked === JSON.stringify(live.form) && performance.now() < until)
    await pause(LOOK);
}

export function clearThings() {
  live.rate = new FrameRate();
  live.found = [];
  updateThings({ instances: [], left_out: [], partial: null });
  repaint();
  writeTextsSoon();
}
