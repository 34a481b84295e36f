// How fast a camera's frames are answered: how many a second, and how far behind. No page.

const SPAN = 2000; // milliseconds that the numbers are about
const SLOW = 400; // milliseconds behind from which on a picture of its own moves on meanwhile
const QUICK = 250; // and below which the frame that was looked at is shown again

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length ? sorted[sorted.length >> 1] : 0;
}

export class FrameRate {
  constructor() {
    /** @type {{at: number, delay: number}[]} */
    this.frames = [];
    this.count = 0;
    this.isSlow = false;
  }

  /**
   * @param {number} at when an answer was shown, in milliseconds
   * @param {number} delay milliseconds since its frame was taken
   */
  add(at, delay) {
    const recent = this.frames.filter((frame) => at - frame.at < SPAN);
    // One from before stays, so that there is a rate where a frame takes longer than that.
    this.frames = [...(recent.length ? recent : this.frames.slice(-1)), { at, delay }];
    this.count += 1;
    this.isSlow = this.delay > (this.isSlow ? QUICK : SLOW);
  }

  /** Frames a second; 0 until there were two. */
  get perSecond() {
    const [first, last] = [this.frames[0], this.frames[this.frames.length - 1]];
    return this.frames.length < 2 ? 0 : (1000 * (this.frames.length - 1)) / (last.at - first.at);
  }

  /** Milliseconds from the camera to the answer on the page, in the middle. */
  get delay() {
    return median(this.frames.map(({ delay }) => delay));
  }
}

/**
 * "16 frames a second · 58 ms behind"; of a slow model how long each takes.
 * @param {Pick<FrameRate, "perSecond" | "delay">} rate
 * @param {Translate} translate
 */
export function rateText({ perSecond, delay }, translate) {
  if (!perSecond) return "";
  const isSlow = perSecond < 1;
  const n = (isSlow ? 1 / perSecond : perSecond).toFixed(
    perSecond < 0.1 || perSecond >= 10 ? 0 : 1,
  );
  const late =
    delay < 1000
      ? translate("delay", { n: Math.round(delay) })
      : translate("delay_s", { n: (delay / 1000).toFixed(1) });
  return `${translate(isSlow ? "every" : "rate", { n })} · ${late}`;
}

/**
 * The size of a frame as it is sent: never larger than it is, its longer side of so many pixels.
 * @param {Size} camera
 * @param {number} side
 * @returns {Size}
 */
export function frameSize({ width, height }, side) {
  const scale = Math.min(1, side / Math.max(width, height, 1));
  return { width: Math.round(width * scale), height: Math.round(height * scale) };
}
