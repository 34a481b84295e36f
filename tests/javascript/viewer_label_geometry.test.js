import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CROWD,
  fitLabel,
  isSeen,
  LABEL_HEIGHT,
  LABEL_PADDING,
  labelRoom,
  labelSpot,
  visibleFrame,
} from "../../gemma_vision/web/components/viewer_label_geometry.js";

const VIEW = { scale: 1, x: 0, y: 0 };
const LETTER = 7; // CSS pixels of a letter of these tests
const measure = (text) => LETTER * [...text].length;
const thing = (given) => ({ index: 0, label: "cat", score: 0.9, ...given });
const plain = (text) => text.replace(/[\u2068\u2069]/g, "");

/** A frame holds a label where all its corners lie in it. */
function isInside({ x, y, width }, [left, top, right, bottom]) {
  return x >= left && y >= top && x + width <= right && y + LABEL_HEIGHT <= bottom;
}

test("labels stand above their box, then where there is room, never outside", () => {
  const frame = [0, 0, 300, 300];
  const taken = [];
  for (let n = 0; n < 3; n += 1) taken.push(labelSpot([50, 100, 150, 200], VIEW, frame, 60, taken));
  assert.deepEqual(
    taken.map((spot) => spot.y),
    [100 - LABEL_HEIGHT - 2, 103, 203],
  );
  assert.deepEqual(labelSpot([290, 0, 299, 9], VIEW, frame, 60, []), { x: 238, y: 2, width: 60 });
});

test("the frame of labels is the image as far as it is seen", () => {
  const [picture, area] = [
    { width: 100, height: 100 },
    { width: 400, height: 200 },
  ];
  assert.deepEqual(visibleFrame({ scale: 2, x: 100, y: 0 }, picture, area), [100, 0, 300, 200]);
  assert.deepEqual(visibleFrame({ scale: 8, x: -300, y: -50 }, picture, area), [0, 0, 400, 200]);
});

test("sixty labels of a busy picture stay inside it, beside the mat and on a phone", () => {
  for (const [width, scale, x] of [
    [780, 0.8, 134],
    [366, 0.57, 0],
  ]) {
    const view = { scale, x, y: 0 };
    const frame = visibleFrame(view, { width: 640, height: 480 }, { width, height: 480 * scale });
    const taken = [];
    for (let n = 0; n < 60; n += 1) {
      const [left, top] = [(n * 97) % 630, (n * 61) % 475];
      const label = fitLabel(
        thing({ index: n, label: "word ".repeat(n) }),
        labelRoom(frame, n % 2 === 0),
        measure,
      );
      const long = measure(label) + 2 * LABEL_PADDING;
      taken.push(labelSpot([left, top, left + 9, top + 4], view, frame, long, taken));
    }
    assert.deepEqual(
      taken.filter((spot) => !isInside(spot, frame)),
      [],
    );
  }
});

test("a box that is scrolled out of sight has no label", () => {
  const frame = [0, 0, 100, 100];
  assert.equal(isSeen([10, 10, 20, 20], VIEW, frame), true);
  assert.equal(isSeen([110, 10, 120, 20], VIEW, frame), false);
  assert.equal(isSeen([10, -20, 20, -5], VIEW, frame), false);
});

test("a label says number, name and score as long as there is room", () => {
  assert.equal(plain(fitLabel(thing(), 500, measure)), "1  cat  90%");
  assert.equal(plain(fitLabel(thing({ label: "", score: null }), 500, measure)), "1");
});

test("a long name gives way to an ellipsis and keeps the number and the score", () => {
  const label = plain(
    fitLabel(thing({ label: "a very long name" }), 15 * LETTER + 4 * LETTER, measure),
  );
  assert.match(label, /^1 {2}a v.*… {2}90%$/);
  assert.ok(measure(label) <= 19 * LETTER);
});

test("no half of a letter that takes two units is left", () => {
  const label = fitLabel(thing({ label: "🐱".repeat(40) }), 20 * LETTER, measure);
  assert.ok(label.isWellFormed?.() ?? true);
  assert.ok(label.includes("🐱…"));
});

test("where there is no room for a letter the number stands alone", () => {
  assert.equal(fitLabel(thing({ index: 41 }), 0, measure), "42");
  assert.ok(CROWD === 25);
});
