// Frames of a camera on their way: made small, sent, and what comes back line by line.

import { brushOf, make } from "./lib/lib.js";
import { frameSize } from "./viewer_live_rate.js";

const SENT_QUALITY = 0.8; // of the JPEG that is sent

const small = make("canvas");

/** A frame that was not looked at, and why: `wait` is when to try again, in milliseconds. */
export class FrameRefusal extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {number} wait 0 where trying again helps nobody
   */
  constructor(code, message, wait) {
    super(message);
    this.code = code;
    this.wait = wait;
  }
}

/**
 * The newest picture of a camera, as it is.
 * @param {HTMLVideoElement} video
 * @param {HTMLCanvasElement} canvas that it is drawn on
 */
export function grabFrame(video, canvas) {
  const { videoWidth: width, videoHeight: height } = video;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  brushOf(canvas).drawImage(video, 0, 0);
  return canvas;
}

/**
 * A frame as a file, its longer side of so many pixels.
 * @param {HTMLCanvasElement} frame
 * @param {number} side
 * @returns {Promise<Blob | null>}
 */
export function encodeFrame(frame, side) {
  const { width, height } = frameSize(frame, side);
  if (small.width !== width || small.height !== height) Object.assign(small, { width, height });
  const brush = brushOf(small);
  brush.imageSmoothingQuality = "medium";
  brush.drawImage(frame, 0, 0, width, height);
  return new Promise((resolve) => small.toBlob(resolve, "image/jpeg", SENT_QUALITY));
}

/**
 * Sends a frame; each state of its answer is shown as it comes. FrameRefusal where it is refused.
 * @param {Record<string, unknown>} asked the mark of this page, task, words, the form's other values
 * @param {Blob} picture
 * @param {AbortSignal} signal
 * @param {(answer: FrameAnswer) => void} show
 */
export async function sendFrame(asked, picture, signal, show) {
  const body = new Blob([`${JSON.stringify(asked)}\n`, picture]);
  const answer = await fetch(new URL("live", document.baseURI), { method: "POST", body, signal });
  if (!answer.ok || !answer.body) throw await refusalOf(answer);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop() ?? "";
    for (const state of lines.map((line) => JSON.parse(line))) {
      if (state.code) throw new FrameRefusal(state.code, state.message, 1000);
      show(state);
    }
  }
}

/** @param {Response} answer */
async function refusalOf(answer) {
  const told = await answer.json().catch(() => ({}));
  const seconds = Number(answer.headers.get("retry-after") ?? 0);
  const { code = "E_INTERNAL", message = "", detail = "" } = told;
  const [, inDetail, sentence] = /^(E_\w+): (.*)$/s.exec(String(detail)) ?? [];
  const wait = answer.status === 409 ? 1 : 1000 * seconds;
  return new FrameRefusal(inDetail ?? code, sentence ?? message, wait);
}
