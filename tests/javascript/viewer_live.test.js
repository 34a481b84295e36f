import assert from "node:assert/strict";
import { test } from "node:test";
import { cameraReason } from "../../gemma_vision/web/components/viewer_live_camera.js";
import {
  FrameRate,
  frameSize,
  rateText,
} from "../../gemma_vision/web/components/viewer_live_rate.js";

/** Shows which text was asked for, and with what. */
const translate = (key, values = {}) => [key, ...Object.values(values)].join(":");

/** A rate after frames that came every so many milliseconds, so far behind. */
function rateOf(count, every, delay) {
  const rate = new FrameRate();
  for (let n = 0; n < count; n += 1) rate.add(1000 + n * every, delay);
  return rate;
}

test("frames a second are those of the last two seconds", () => {
  assert.equal(rateOf(100, 50, 60).perSecond, 20);
  const rate = rateOf(100, 50, 60);
  for (let n = 1; n <= 30; n += 1) rate.add(1000 + 99 * 50 + n * 100, 90);
  assert.equal(rate.perSecond, 10);
  assert.equal(rate.delay, 90);
  assert.equal(rate.count, 130);
});

test("there is a rate where each frame takes longer than that", () => {
  assert.equal(rateOf(1, 1, 1).perSecond, 0);
  assert.equal(rateOf(3, 4000, 4000).perSecond, 0.25);
});

test("a picture of its own moves on where answers come late, until they come soon", () => {
  const rate = rateOf(5, 500, 450);
  assert.equal(rate.isSlow, true);
  for (let n = 0; n < 40; n += 1) rate.add(4000 + n * 100, 300);
  assert.equal(rate.isSlow, true);
  for (let n = 0; n < 40; n += 1) rate.add(9000 + n * 100, 100);
  assert.equal(rate.isSlow, false);
});

const told = [
  [{ perSecond: 0, delay: 0 }, ""],
  [{ perSecond: 16.4, delay: 58.2 }, "rate:16 · delay:58"],
  [{ perSecond: 4.26, delay: 230 }, "rate:4.3 · delay:230"],
  [{ perSecond: 0.4, delay: 2500 }, "every:2.5 · delay_s:2.5"],
  [{ perSecond: 0.05, delay: 20400 }, "every:20 · delay_s:20.4"],
];
for (const [rate, text] of told)
  test(`a rate of ${rate.perSecond} reads ${text || "like nothing"}`, () => {
    assert.equal(rateText(rate, translate), text);
  });

test("a frame is made small, never large, and keeps its shape", () => {
  assert.deepEqual(frameSize({ width: 1280, height: 720 }, 384), { width: 384, height: 216 });
  assert.deepEqual(frameSize({ width: 720, height: 1280 }, 384), { width: 216, height: 384 });
  assert.deepEqual(frameSize({ width: 320, height: 240 }, 384), { width: 320, height: 240 });
});

const reasons = [
  ["NotAllowedError", "refused"],
  ["NotFoundError", "none"],
  ["OverconstrainedError", "none"],
  ["NotReadableError", "taken"],
  ["TypeError", "failed"],
];
for (const [name, key] of reasons)
  test(`a camera's ${name} is told as ${key}`, () => {
    assert.equal(cameraReason(Object.assign(new Error(""), { name })), key);
  });
