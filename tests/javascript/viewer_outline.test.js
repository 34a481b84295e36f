import assert from "node:assert/strict";
import { test } from "node:test";
import { smoothOutline } from "../../gemma_vision/web/components/viewer_outline.js";

const PICTURE = { width: 800, height: 600 };

/** The bends of an outline: where each begins, its corner, where it ends. */
function bends(path) {
  return [...path.matchAll(/[ML]([-\d.]+) ([-\d.]+)Q([-\d.]+) ([-\d.]+) ([-\d.]+) ([-\d.]+)/g)].map(
    ([, ...numbers]) => {
      const [x0, y0, cx, cy, x1, y1] = numbers.map(Number);
      return { from: [x0, y0], at: [cx, cy], to: [x1, y1] };
    },
  );
}

/** How far the middle of a bend lies from its corner. */
function cutOff({ from, at, to }) {
  const middle = [0, 1].map((i) => (from[i] + 2 * at[i] + to[i]) / 4);
  return Math.hypot(middle[0] - at[0], middle[1] - at[1]);
}

function circle(count, radius) {
  const points = Array.from({ length: count }, (_, n) => (2 * Math.PI * n) / count).map(
    (angle) =>
      `${(300 + radius * Math.cos(angle)).toFixed(1)} ${(300 + radius * Math.sin(angle)).toFixed(1)}`,
  );
  return `M${points.join(" ")}Z`;
}

test("the corners of a square stay within a pixel", () => {
  const found = bends(smoothOutline("M10 10 110 10 110 110 10 110Z", PICTURE));
  assert.equal(found.length, 4);
  for (const bend of found) assert.ok(cutOff(bend) <= 1.01 && cutOff(bend) > 0.5);
});

test("an outline that hardly turns has no straight part and no corner", () => {
  const found = bends(smoothOutline(circle(24, 60), PICTURE));
  found.forEach((bend, n) => {
    const next = found[(n + 1) % found.length];
    const gap = Math.hypot(bend.to[0] - next.from[0], bend.to[1] - next.from[1]);
    assert.ok(gap < 0.05, `a straight part of ${gap}`);
    assert.ok(cutOff(bend) <= 1.01);
  });
});

test("a bend leaves its edges in their own direction: there is no kink at any zoom", () => {
  for (const { from, at, to } of bends(smoothOutline("M0 0 90 4 100 80 40 120 -5 60Z", PICTURE))) {
    assert.ok(Math.hypot(from[0] - at[0], from[1] - at[1]) > 0);
    assert.ok(Math.hypot(to[0] - at[0], to[1] - at[1]) > 0);
  }
});

test("holes and parts stay rings of their own, and what is no area is left out", () => {
  const path = smoothOutline("M0 0 90 0 90 90Z" + "M10 5 80 5 80 60Z" + "M1 1 2 2Z", PICTURE);
  assert.equal(path.match(/M/g).length, 2);
  assert.equal(path.match(/Z/g).length, 2);
  assert.equal(smoothOutline("", PICTURE), "");
});

test("two points at one place break nothing", () => {
  assert.doesNotMatch(smoothOutline("M5 5 5 5 90 5 90 90Z", PICTURE), /NaN|Infinity/);
});

test("a larger picture may be bent by more of its smaller pixels", () => {
  const square = "M10 10 1110 10 1110 1110 10 1110Z";
  const [small] = bends(smoothOutline(square, PICTURE));
  const [large] = bends(smoothOutline(square, { width: 6400, height: 4800 }));
  assert.ok(Math.abs(cutOff(large) / cutOff(small) - 4) < 0.05);
});
