import assert from "node:assert/strict";
import { test } from "node:test";
import {
  isOnWipe,
  sliderText,
  wipeAt,
  wipeX,
} from "../../gemma_vision/web/components/viewer_wipe.js";

const VIEW = { scale: 0.5, x: 40, y: 0 };
const PICTURE = { width: 640, height: 480 };

test("the line follows the hand and the share follows the line", () => {
  for (const x of [60, 200, 359]) {
    const share = wipeAt(VIEW, PICTURE, { x, y: 9 });
    assert.ok(Math.abs(wipeX(VIEW, PICTURE, share) - x) < 0.5);
  }
});

test("the line stays on the image, and is gone at its left edge", () => {
  assert.equal(wipeAt(VIEW, PICTURE, { x: 5000, y: 0 }), 1);
  assert.equal(wipeAt(VIEW, PICTURE, { x: 0, y: 0 }), 0);
  assert.equal(wipeAt(VIEW, PICTURE, { x: 42, y: 0 }), 0);
});

test("a press beside the line takes hold of it, where there is one", () => {
  assert.equal(isOnWipe(VIEW, PICTURE, 0.5, { x: 208, y: 3 }, 10), true);
  assert.equal(isOnWipe(VIEW, PICTURE, 0.5, { x: 220, y: 3 }, 10), false);
  assert.equal(isOnWipe(VIEW, PICTURE, 0, { x: 40, y: 3 }, 10), false);
});

test("a slider says its number", () => {
  assert.equal(sliderText("opacity", 0.55), "55%");
  assert.equal(sliderText("line", 2.5), "2.5 px");
});
