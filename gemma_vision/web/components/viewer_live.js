// The viewer before a camera: started, stopped, another one chosen, a frame taken over. Runs last.

import { find, make, onLanguage } from "./lib/lib.js";
import { setValue, startRun } from "./viewer.js";
import {
  cameraReason,
  closeCamera,
  hasCameras,
  listCameras,
  openCamera,
} from "./viewer_live_camera.js";
import { grabFrame } from "./viewer_live_frames.js";
import { clearThings, look, takeFrame, wakeUp } from "./viewer_live_loop.js";
import { frameSize } from "./viewer_live_rate.js";
import {
  button,
  live,
  panel,
  say,
  setState,
  tell,
  video,
  writeTexts,
} from "./viewer_live_scene.js";
import { canvas, reducedMotion, root, scene } from "./viewer_scene.js";
import { resize } from "./viewer_zoom.js";

const TAKEN_QUALITY = 0.92; // of the JPEG that a frame is taken over as
const choice = /** @type {HTMLSelectElement} */ (find(panel, "select"));

async function start() {
  if (!live.running.signal.aborted) return;
  trigger("start", {}); // the form's values come back as an event
  if (!hasCameras()) {
    tell(() => say(isSecureContext ? "none" : "insecure"), true);
    return;
  }
  live.running = new AbortController();
  const { signal } = live.running;
  setState("asking");
  tell(() => say("asking"));
  try {
    const opened = await openCamera(choice.value);
    if (signal.aborted) return closeCamera(opened);
    live.stream = video.srcObject = opened;
    await video.play();
  } catch (error) {
    if (!signal.aborted) stop(cameraReason(error));
    return;
  }
  if (signal.aborted) return;
  const ended = () => signal.aborted || stop("lost");
  for (const track of live.stream.getTracks()) track.addEventListener("ended", ended);
  begin(signal);
}

/** @param {AbortSignal} signal */
function begin(signal) {
  startRun(live.page);
  clearThings();
  tell(() => "");
  const size = frameSize({ width: video.videoWidth, height: video.videoHeight }, live.side);
  Object.assign(scene, { picture: size, bitmap: video });
  setValue(/** @type {ViewerValue} */ ({ run: live.page, image: { ...size, original: null } }));
  root.classList.remove("no-picture");
  setState("on");
  resize(true);
  const { top, bottom } = canvas.getBoundingClientRect();
  const behavior = reducedMotion.matches ? "auto" : "smooth";
  if (top < 0 || bottom > innerHeight) canvas.scrollIntoView({ block: "center", behavior });
  renderCameras();
  takeFrame();
  look(signal);
}

/** @param {string} [why] the key of a sentence */
function stop(why = "") {
  live.running.abort();
  if (scene.bitmap === video) scene.bitmap = grabFrame(video, live.frames[0]);
  closeCamera(live.stream);
  live.stream = video.srcObject = null;
  setState("off");
  tell(() => why && say(why), Boolean(why));
  wakeUp();
}

async function renderCameras() {
  const cameras = hasCameras() ? await listCameras() : [];
  const current = live.stream?.getVideoTracks()[0]?.getSettings().deviceId;
  const options = cameras.map(({ deviceId, label }, n) =>
    make("option", { value: deviceId, text: label || `${say("camera")} ${n + 1}` }),
  );
  choice.replaceChildren(...options);
  if (current) choice.value = current;
  find(panel, ".live-camera").hidden = cameras.length < 2;
}

// The frame as the camera took it goes where pictures are looked at one by one.
async function takeOver() {
  const { bitmap } = scene;
  const frame = bitmap === video ? grabFrame(video, live.frames[0]) : bitmap;
  if (!(frame instanceof HTMLCanvasElement)) return;
  const blob = await new Promise((resolve) => frame.toBlob(resolve, "image/jpeg", TAKEN_QUALITY));
  stop();
  tell(() => say("taking"));
  try {
    const { path } = await upload(new File([blob], "camera.jpg", { type: "image/jpeg" }));
    trigger("freeze", { path, task: live.form.task, text: live.form.words });
  } catch {
    tell(() => say("away"), true);
  }
}

/** @param {Event} event with the form's values as a text, in the order of its fields */
function takeForm(event) {
  const values = JSON.parse(/** @type {CustomEvent} */ (event).detail);
  const names = /** @type {string[]} */ (props.fields);
  live.form = Object.fromEntries(names.map((name, n) => [name, values[n]]));
  scene.listed = [];
  wakeUp();
}

// The Image tab holds the frame by now.
function openImageTab() {
  tell(() => "");
  const place = document.getElementById("viewer")?.closest("[role=tabpanel]");
  const tab = document.querySelector(`[role=tab][aria-controls="${place?.id}"]`);
  if (tab instanceof HTMLElement) tab.click();
}

function renderLiveWords() {
  button("start").textContent = say("start");
  button("stop").textContent = say("stop");
  button("freeze").textContent = say("freeze");
  button("freeze").title = say("freeze_about");
  find(panel, ".live-camera span").textContent = say("camera");
  writeTexts();
}

scene.isMoving = true;
root.classList.add("moving");
find(root, ".bar").after(panel);
button("start").addEventListener("click", start);
button("stop").addEventListener("click", () => stop());
button("freeze").addEventListener("click", takeOver);
choice.addEventListener("change", () => {
  if (live.running.signal.aborted) return;
  stop();
  start();
});
document.addEventListener(`gv-form-${props.tab}`, takeForm);
document.addEventListener(`gv-asked-${props.tab}`, (event) => {
  takeForm(event);
  start(); // Enter in the field of the words
});
document.addEventListener("gv-frozen", openImageTab);
navigator.mediaDevices?.addEventListener("devicechange", renderCameras);
// Whoever opens another tab of the page has done with the camera.
new IntersectionObserver(() => {
  if (!live.running.signal.aborted && !panel.checkVisibility()) stop();
}).observe(panel);
onLanguage(renderLiveWords);
renderLiveWords();
