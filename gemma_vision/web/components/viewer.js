// The viewer: keeps what is shown, paints it, and answers mouse, finger and keyboard.
// `element`, `props`, `trigger` and `watch` are given by gr.HTML; `WORDS` holds both languages.

const $ = (selector) => element.querySelector(selector);
const root = $(".gv");
const stage = $(".stage");
const canvas = $("canvas");
const context = canvas.getContext("2d");
const body = $("tbody");
const language = props.language || ((navigator.language || "en").startsWith("ja") ? "ja" : "en");
const say = (key) => (WORDS[language] || WORDS.en)[key] ?? key;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

const scene = {
  picture: null, bitmap: null, area: { width: 1, height: 1 }, ratio: 1, view: { scale: 1, x: 0, y: 0 },
  things: [], partial: null, hovered: -1, selected: -1, now: 0, still: true,
  options: { boxes: true, masks: true, labels: true, opacity: 0.5, line: 2, wipe: 0, score: 0, ground: "whole" },
};
const hidden = new Set(); // labels switched off
let value = null;
let run = null; // changes with every new run: a fresh view, nothing selected
let address = null; // of the picture that is loaded or loading
let queued = false;

function repaint() {
  if (queued) return;
  queued = true;
  requestAnimationFrame(() => {
    queued = false;
    scene.now = performance.now();
    scene.still = calm.matches;
    paintAll(context, scene);
    if (!scene.still && scene.things.some((thing) => scene.now - thing.born < 300)) repaint();
  });
}

// ---- what arrives ------------------------------------------------------------------------

function receive() {
  value = props.value;
  const isNew = value && value.run !== run;
  root.dataset.state = value ? value.status.state : "empty";
  root.classList.toggle("no-picture", !value || !value.image);
  if (!value) return clear();
  if (isNew) startOver();
  if (value.image) loadPicture(value.image);
  else Object.assign(scene, { picture: null, bitmap: null });
  gather(value);
  describe(value);
  repaint();
  if (isNew && value.image) bringIntoView();
}

// On a narrow page the result stands under the form; a new one is scrolled to.
function bringIntoView() {
  const { top } = root.getBoundingClientRect();
  if (innerWidth <= 820 && (top < 0 || top > innerHeight * 0.3))
    root.scrollIntoView({ behavior: calm.matches ? "auto" : "smooth", block: "start" });
}

function clear() {
  startOver();
  Object.assign(scene, { picture: null, bitmap: null, things: [], partial: null });
  run = address = null;
  repaint();
}

function startOver() {
  run = value && value.run;
  hidden.clear();
  Object.assign(scene, { hovered: -1, selected: -1, things: [] });
  scene.options.wipe = scene.options.score = 0;
  for (const name of ["wipe", "score"]) $(`[data-slide=${name}]`).value = 0;
}

function loadPicture(image) {
  const { width, height } = image;
  const next = image.file ? image.file.url : `${width} x ${height}`; // a pasted answer has no file
  const changed = !scene.picture || next !== address;
  scene.picture = { width, height };
  if (!changed) return;
  scene.bitmap = null;
  address = next;
  resize(true);
  if (!image.file) return;
  const picture = new Image();
  picture.onload = () => {
    if (picture.src !== new URL(address, location.href).href) return;
    scene.bitmap = picture;
    root.dataset.loaded = "";
    repaint();
  };
  delete root.dataset.loaded;
  picture.src = address;
}

function gather({ instances, partial }) {
  const now = performance.now();
  scene.things = instances.map((instance, index) => {
    const before = scene.things[index];
    const known = before && before.source === JSON.stringify(instance);
    return known ? before : newThing(instance, index, before ? before.born : now);
  });
  scene.partial = partial && partial.y0 !== null ? { ...partial, path: pathOf(partial) } : null;
  choose();
}

function newThing(instance, index, born) {
  const { label, color, score, only = false } = instance;
  const path = pathOf(instance);
  return { index, label, color, score, only, born, path, box: [...instance.box], shown: true, source: JSON.stringify(instance) };
}

// The outline of a mask comes as the data of an SVG path.
function pathOf({ path }) {
  return path ? new Path2D(path) : null;
}

// What the legend and the score slider leave.
function choose() {
  for (const thing of scene.things)
    thing.shown = !hidden.has(thing.label) && (thing.score === null || thing.score >= scene.options.score);
}

function describe(shown) {
  const { status, instances } = shown;
  $(".facts").textContent = statusWords(shown, say);
  $(".notes").replaceChildren(...shown.notes.map((note) => make("li", { text: note })));
  $(".said p").textContent = shown.words;
  root.classList.toggle("has-words", Boolean(shown.words));
  root.classList.toggle("has-things", instances.length > 0);
  root.classList.toggle("has-masks", scene.things.some((thing) => thing.path));
  root.classList.toggle("has-scores", scene.things.some((thing) => thing.score !== null));
  root.classList.toggle("has-text", Boolean(shown.text));
  if ($(".tokens").open || status.state !== "running") renderTokens($(".tokens pre"), shown.text);
  canvas.setAttribute("aria-label", summary(shown, say));
  root.dataset.count = instances.length;
  renderList();
  if (status.state !== "running") $(".heard").textContent = [statusWords(shown, say), ...shown.notes].join(". ");
}

function renderList() {
  renderLegend($(".legend"), groupLabels(scene.things), hidden, toggleLabel);
  renderTable(body, scene.things, { select: toggleSelected, hover, onlyHere: say("only_here") });
  markRow(body, scene.selected);
}

// ---- looking at one thing ----------------------------------------------------------------

function hover(index) {
  if (scene.hovered === index) return;
  scene.hovered = index;
  [...body.rows].forEach((row, i) => row.classList.toggle("hovered", i === index));
  repaint();
}

function select(index) {
  scene.selected = index;
  markRow(body, index);
  root.dataset.selected = index;
  const thing = scene.things[index];
  if (thing) $(".heard").textContent = `${index + 1} ${thing.label} ${percent(thing.score)}`;
  repaint();
}

function toggleSelected(index) {
  select(scene.selected === index ? -1 : index);
}

function toggleLabel(label) {
  hidden.has(label) ? hidden.delete(label) : hidden.add(label);
  const at = groupLabels(scene.things).findIndex((group) => group.label === label);
  choose();
  renderList();
  $(".legend").children[at]?.focus();
  repaint();
}

function walk(step) {
  const shown = scene.things.filter((thing) => thing.shown);
  if (!shown.length) return;
  const at = shown.findIndex((thing) => thing.index === scene.selected);
  const next = at < 0 ? (step > 0 ? 0 : shown.length - 1) : (at + step + shown.length) % shown.length;
  select(shown[next].index);
}

// ---- size and zoom -----------------------------------------------------------------------

function resize(refit) {
  const width = Math.max(1, stage.clientWidth);
  const { picture } = scene;
  if (!picture) return;
  const most = Math.max(240, Math.min(innerHeight * 0.6, 760));
  const height = Math.round(Math.min((width * picture.height) / picture.width, most));
  const ratio = devicePixelRatio || 1;
  const same = width === scene.area.width && height === scene.area.height && ratio === scene.ratio;
  if (same && !refit) return;
  Object.assign(scene, { area: { width, height }, ratio });
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  setView(fitView(picture, scene.area));
}

function setView(view) {
  scene.view = view;
  const fitted = !scene.picture || isFitted(view, scene.picture, scene.area);
  root.classList.toggle("zoomed", !fitted);
  repaint();
}

function zoom(factor, point) {
  if (!scene.picture) return;
  const middle = { x: scene.area.width / 2, y: scene.area.height / 2 };
  setView(zoomView(scene.view, scene.picture, scene.area, point || middle, factor));
}

function pan(dx, dy) {
  const { view, picture, area } = scene;
  setView(keepInside({ scale: view.scale, x: view.x + dx, y: view.y + dy }, picture, area));
}
