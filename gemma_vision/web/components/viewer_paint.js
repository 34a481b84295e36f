// The viewer's brush: the picture, masks, boxes, names and the record that is being written now.
// Everything is drawn in picture coordinates; line widths and letters keep their size on screen.

const LABEL_FONT = "600 12px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
const LABEL_HEIGHT = 20;
const QUIET = 0.28; // how much remains of the others while one thing is looked at

function paintAll(context, scene) {
  const { area, view, bitmap, picture, ratio } = scene;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, area.width, area.height);
  if (!picture) return;
  const enter = () =>
    context.setTransform(ratio * view.scale, 0, 0, ratio * view.scale, ratio * view.x, ratio * view.y);
  context.save();
  enter();
  context.imageSmoothingQuality = "high";
  if (bitmap) context.drawImage(bitmap, 0, 0, picture.width, picture.height);
  else paintBlank(context, picture);
  clipToWipe(context, scene);
  const things = scene.things.filter((thing) => thing.shown);
  if (scene.options.ground !== "whole" && bitmap) paintGround(context, things, scene);
  if (scene.options.masks) things.forEach((thing) => paintMask(context, thing, scene));
  things.forEach((thing) => paintBox(context, thing, scene));
  if (scene.partial) paintPartial(context, scene.partial, scene);
  context.restore();
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  if (scene.options.labels) paintLabels(context, things, scene);
  if (scene.options.wipe > 0) paintWipe(context, scene);
}

// While the picture loads, and where an answer came without one.
function paintBlank(context, picture) {
  context.fillStyle = "rgba(128, 140, 160, 0.25)";
  context.fillRect(0, 0, picture.width, picture.height);
}

function weight(thing, scene) {
  const looked = scene.hovered >= 0 ? scene.hovered : scene.selected;
  return looked < 0 || looked === thing.index ? 1 : QUIET;
}

// The part left of the wipe line shows the picture alone.
function clipToWipe(context, { options, picture }) {
  if (!(options.wipe > 0)) return;
  const from = picture.width * options.wipe;
  context.beginPath();
  context.rect(from, 0, picture.width - from, picture.height);
  context.clip();
}

// Everything but the things: darker, out of focus or gone; then the things as they are.
function paintGround(context, things, { bitmap, picture, options, view, ratio }) {
  const { width, height } = picture;
  context.save();
  if (options.ground === "cut") context.clearRect(0, 0, width, height);
  if (options.ground === "dim") {
    context.fillStyle = "rgba(0, 0, 0, 0.7)";
    context.fillRect(0, 0, width, height);
  }
  if (options.ground === "blur") {
    context.filter = `blur(${Math.max(2, (Math.max(width, height) / 90) * view.scale * ratio)}px)`;
    context.drawImage(bitmap, 0, 0, width, height);
    context.filter = "none";
  }
  context.clip(outlineOfAll(things));
  context.drawImage(bitmap, 0, 0, width, height);
  context.restore();
}

function outlineOfAll(things) {
  const shapes = new Path2D();
  for (const { path, box } of things) {
    if (path) shapes.addPath(path);
    else shapes.rect(box[0], box[1], box[2] - box[0], box[3] - box[1]);
  }
  return shapes;
}

function paintWipe(context, { options, picture, view, area }) {
  const x = view.x + picture.width * options.wipe * view.scale;
  context.fillStyle = "#ffffff";
  context.fillRect(x - 1, Math.max(0, view.y), 2, Math.min(area.height, picture.height * view.scale));
}

function paintMask(context, thing, scene) {
  if (!thing.path) return;
  context.globalAlpha = scene.options.opacity * weight(thing, scene) * appear(thing, scene);
  context.fillStyle = thing.color;
  context.fill(thing.path, "evenodd");
  context.globalAlpha = Math.min(1, scene.options.opacity * 2) * weight(thing, scene);
  context.strokeStyle = thing.color;
  context.lineWidth = 1.5 / scene.view.scale;
  context.lineJoin = "round";
  context.stroke(thing.path);
  context.globalAlpha = 1;
}

// A thing that has just arrived fades in within a quarter of a second.
function appear(thing, scene) {
  return scene.still ? 1 : Math.min(1, (scene.now - thing.born) / 250);
}

function paintBox(context, thing, scene) {
  const looked = scene.hovered === thing.index || scene.selected === thing.index;
  if (!scene.options.boxes && !looked) return;
  const [x0, y0, x1, y1] = thing.box;
  const wide = scene.options.line * (looked ? 1.6 : 1);
  context.globalAlpha = weight(thing, scene) * appear(thing, scene);
  context.setLineDash(thing.only ? [9, 6].map((d) => d / scene.view.scale) : []);
  for (const [style, width] of [["rgba(0, 0, 0, 0.45)", wide + 2], [thing.color, wide]]) {
    context.strokeStyle = style;
    context.lineWidth = width / scene.view.scale;
    context.strokeRect(x0, y0, x1 - x0, y1 - y0);
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
}

// One edge is a line across, two are a corner, three a side, four the box.
function paintPartial(context, partial, scene) {
  const { y0, x0, y1, x1 } = partial;
  const { width, height } = scene.picture;
  const path = new Path2D();
  if (x0 === null) line(path, 0, y0, width, y0);
  else if (y1 === null) corner(path, x0, y0, Math.max(width, height) * 0.08);
  else if (x1 === null) line(path, x0, y0, x0, y1);
  else path.rect(x0, y0, x1 - x0, y1 - y0);
  context.lineCap = "round";
  for (const [style, wide] of [["rgba(0, 0, 0, 0.5)", 4.5], ["#ffffff", 2.5]]) {
    context.strokeStyle = style;
    context.lineWidth = wide / scene.view.scale;
    context.setLineDash(x0 === null || x1 !== null ? [7, 5].map((d) => d / scene.view.scale) : []);
    context.stroke(path);
  }
  context.setLineDash([]);
  if (partial.path) paintMask(context, { ...partial, color: "#ffffff", born: 0 }, scene);
}

function line(path, x0, y0, x1, y1) {
  path.moveTo(x0, y0);
  path.lineTo(x1, y1);
}

function corner(path, x, y, length) {
  path.moveTo(x, y + length);
  path.lineTo(x, y);
  path.lineTo(x + length, y);
}

function paintLabels(context, things, scene) {
  const taken = [];
  context.font = LABEL_FONT;
  context.textBaseline = "middle";
  const last = scene.hovered >= 0 ? scene.hovered : scene.selected;
  const ordered = [...things].sort((a, b) => (a.index === last) - (b.index === last));
  for (const thing of ordered) paintLabel(context, thing, scene, taken);
  context.globalAlpha = 1;
}

function paintLabel(context, thing, scene, taken) {
  const { view, picture, options } = scene;
  if (options.wipe > 0 && (thing.box[0] + thing.box[2]) / 2 < picture.width * options.wipe) return;
  const words = [`${thing.index + 1}`, isolated(thing.label), percent(thing.score)].filter(Boolean).join("  ");
  const width = Math.ceil(context.measureText(words).width) + 12;
  const spot = labelSpot(thing.box, view, scene.area, width, taken);
  taken.push(spot);
  context.globalAlpha = weight(thing, scene) * appear(thing, scene);
  context.fillStyle = thing.color;
  context.beginPath();
  context.roundRect(spot.x, spot.y, width, LABEL_HEIGHT, 4);
  context.fill();
  context.fillStyle = inkOn(thing.color);
  context.fillText(words, spot.x + 6, spot.y + LABEL_HEIGHT / 2 + 0.5);
}

// Letters that run to the left stay within the label (Unicode's first strong isolate, U+2068).
function isolated(label) {
  return label && `\u2068${label}\u2069`;
}

// Above the box, inside it, below it, or as near to that as the other labels leave room.
function labelSpot(box, view, area, width, taken) {
  const left = view.x + box[0] * view.scale - 1;
  const top = view.y + box[1] * view.scale;
  const x = Math.max(2, Math.min(left, area.width - width - 2));
  const bottom = view.y + box[3] * view.scale;
  const steps = [top - LABEL_HEIGHT - 2, top + 3, bottom + 3, bottom - LABEL_HEIGHT - 3];
  const inside = (y) => Math.max(2, Math.min(y, area.height - LABEL_HEIGHT - 2));
  const free = ({ y }) =>
    taken.every((o) => x + width < o.x || o.x + o.width < x || Math.abs(y - o.y) > LABEL_HEIGHT);
  const spots = steps.map((y) => ({ x, y: inside(y), width }));
  for (let n = 1; n < 8; n += 1) spots.push({ x, y: inside(top + 3 + n * (LABEL_HEIGHT + 1)), width });
  return spots.find(free) || spots[0];
}

function percent(score) {
  return score === null || score === undefined ? "" : `${Math.round(score * 100)}%`;
}

// Black or white, whichever reads better on a colour "#rrggbb" (relative luminance, WCAG 2).
function inkOn(color) {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const c = parseInt(color.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000000" : "#ffffff";
}
