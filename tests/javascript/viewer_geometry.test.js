import assert from "node:assert/strict";
import { test } from "node:test";
import {
  canvasSize,
  clampView,
  fitView,
  isFitted,
  isInBox,
  neighbourOf,
  panView,
  partialPath,
  pinchZoom,
  smallestAt,
  toPicture,
  zoomView,
} from "../../gemma_vision/web/components/viewer_geometry.js";

const PICTURE = { width: 640, height: 480 };
const AREA = { width: 320, height: 300 };

const thing = (given) => ({ index: 0, isVisible: true, path: null, box: [0, 0, 10, 10], ...given });
const never = () => false;

test("the whole image fits, centred", () => {
  assert.deepEqual(fitView(PICTURE, AREA), { scale: 0.5, x: 0, y: 30 });
});

test("the canvas takes the image's shape between its least and largest height", () => {
  assert.deepEqual(canvasSize(PICTURE, 320, 1000), { width: 320, height: 240 });
  assert.deepEqual(canvasSize({ width: 100, height: 900 }, 320, 1000), { width: 320, height: 600 });
  assert.deepEqual(canvasSize({ width: 100, height: 900 }, 320, 200), { width: 320, height: 240 });
});

test("a point keeps its place on the image while one zooms about it", () => {
  const fit = fitView(PICTURE, AREA);
  const point = { x: 200, y: 120 };
  const zoomed = zoomView(fit, PICTURE, AREA, point, 4);
  assert.equal(zoomed.scale, 2);
  assert.deepEqual(toPicture(zoomed, point), toPicture(fit, point));
});

test("zoom ends at the whole image and at sixteen times of it", () => {
  const fit = fitView(PICTURE, AREA);
  const point = { x: 0, y: 0 };
  assert.deepEqual(zoomView(fit, PICTURE, AREA, point, 0.1), fit);
  assert.equal(zoomView(fit, PICTURE, AREA, point, 1000).scale, fit.scale * 16);
});

test("no margin shows beside an image that is larger than the canvas", () => {
  const far = { x: 5000, y: 5000 };
  const near = { x: -5000, y: -5000 };
  const view = { scale: 1, x: 0, y: 0 };
  assert.deepEqual(panView(view, PICTURE, AREA, far), { scale: 1, x: 0, y: 0 });
  assert.deepEqual(panView(view, PICTURE, AREA, near), { scale: 1, x: -320, y: -180 });
});

test("an image smaller than the canvas is centred", () => {
  assert.deepEqual(clampView({ scale: 0.25, x: 7, y: 7 }, PICTURE, AREA), {
    scale: 0.25,
    x: 80,
    y: 90,
  });
});

test("a view is fitted until one zooms in", () => {
  const fit = fitView(PICTURE, AREA);
  assert.equal(isFitted(fit, PICTURE, AREA), true);
  assert.equal(isFitted({ ...fit, scale: fit.scale * 1.01 }, PICTURE, AREA), false);
});

test("two fingers zoom by how far they part, about the point between them", () => {
  const { factor, middle } = pinchZoom({ x: 10, y: 0 }, { x: 20, y: 0 }, { x: 0, y: 0 });
  assert.equal(factor, 2);
  assert.deepEqual(middle, { x: 10, y: 0 });
});

test("fingers at one point zoom to no infinity", () => {
  const point = { x: 3, y: 3 };
  assert.equal(pinchZoom(point, point, point).factor, 1);
});

test("a box has its edges, and the slack around them", () => {
  assert.equal(isInBox([0, 0, 10, 10], { x: 10, y: 0 }, 0), true);
  assert.equal(isInBox([0, 0, 10, 10], { x: 11, y: 0 }, 0), false);
  assert.equal(isInBox([0, 0, 10, 10], { x: 11, y: 0 }, 1), true);
});

test("the smallest visible thing under a point is hit", () => {
  const things = [
    thing({ index: 0, box: [0, 0, 100, 100] }),
    thing({ index: 1, box: [40, 40, 60, 60] }),
    thing({ index: 2, box: [45, 45, 55, 55], isVisible: false }),
  ];
  assert.equal(smallestAt(things, { x: 50, y: 50 }, 0, never), 1);
  assert.equal(smallestAt(things, { x: 5, y: 5 }, 0, never), 0);
  assert.equal(smallestAt(things, { x: 500, y: 5 }, 0, never), -1);
});

test("a mask under the point beats the empty corner of a smaller box", () => {
  const [wide, small] = ["wide", "small"];
  const things = [
    thing({ index: 0, box: [0, 0, 100, 100], path: wide }),
    thing({ index: 1, box: [40, 40, 60, 60], path: small }),
  ];
  assert.equal(
    smallestAt(things, { x: 50, y: 50 }, 0, (path) => path === wide),
    0,
  );
  assert.equal(smallestAt(things, { x: 50, y: 50 }, 0, never), 1);
});

test("one walks round the visible things, from either end where none is selected", () => {
  const things = [0, 1, 2, 3].map((index) => thing({ index, isVisible: index !== 2 }));
  const steps = [
    [-1, 1, 0],
    [-1, -1, 3],
    [0, 1, 1],
    [1, 1, 3],
    [3, 1, 0],
    [0, -1, 3],
    [2, 1, 0],
  ];
  for (const [selected, step, next] of steps)
    assert.equal(neighbourOf(things, selected, step), next);
  assert.equal(neighbourOf([], -1, 1), -1);
});

test("the record being written has as many edges as are known", () => {
  const size = { width: 100, height: 50 };
  const none = { y0: null, x0: null, y1: null, x1: null };
  assert.equal(partialPath(none, size), "");
  assert.equal(partialPath({ ...none, y0: 5 }, size), "M 0 5 H 100");
  assert.equal(partialPath({ ...none, y0: 5, x0: 6 }, size), "M 6 13 V 5 H 14");
  assert.equal(partialPath({ ...none, y0: 5, x0: 6, y1: 20 }, size), "M 6 5 V 20");
  assert.equal(partialPath({ y0: 5, x0: 6, y1: 20, x1: 30 }, size), "M 6 5 H 30 V 20 H 6 Z");
});
