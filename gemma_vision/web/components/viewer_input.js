// The viewer's hands: pointer, wheel, keys, buttons and sliders. Runs last.

const fingers = new Map(); // pointer id -> the last point
let pressed = null; // where a press began, until it becomes a drag

function pointOf(event) {
  const frame = canvas.getBoundingClientRect();
  return { x: event.clientX - frame.left, y: event.clientY - frame.top };
}

function thingAt(point, slack) {
  if (!scene.picture) return -1;
  const at = toPicture(scene.view, point);
  context.setTransform(1, 0, 0, 1, 0, 0);
  return smallestAt(context, scene.things, at, slack / scene.view.scale);
}

canvas.addEventListener("pointerdown", (event) => {
  fingers.set(event.pointerId, pointOf(event));
  pressed = fingers.size === 1 ? pointOf(event) : null;
  if (root.classList.contains("zoomed") || fingers.size > 1) canvas.setPointerCapture(event.pointerId);
});

canvas.addEventListener("pointermove", (event) => {
  const point = pointOf(event);
  const before = fingers.get(event.pointerId);
  if (!before) return void (event.pointerType === "mouse" && hover(thingAt(point, 2)));
  if (pressed && Math.hypot(point.x - pressed.x, point.y - pressed.y) > 5) pressed = null;
  if (fingers.size === 2) pinch(event.pointerId, before, point);
  else if (!pressed && root.classList.contains("zoomed")) pan(point.x - before.x, point.y - before.y);
  fingers.set(event.pointerId, point);
});

function pinch(id, before, point) {
  const other = [...fingers].find(([key]) => key !== id)[1];
  const gap = (p) => Math.max(1, Math.hypot(p.x - other.x, p.y - other.y));
  zoom(gap(point) / gap(before), { x: (point.x + other.x) / 2, y: (point.y + other.y) / 2 });
}

canvas.addEventListener("pointerup", (event) => {
  if (pressed) {
    const index = thingAt(pointOf(event), event.pointerType === "mouse" ? 2 : 8);
    index === scene.selected ? select(-1) : select(index);
  }
  pressed = null;
  fingers.delete(event.pointerId);
});
canvas.addEventListener("pointercancel", (event) => {
  pressed = null;
  fingers.delete(event.pointerId);
});
canvas.addEventListener("pointerleave", () => hover(-1));
canvas.addEventListener("dblclick", (event) =>
  root.classList.contains("zoomed") ? setView(fitView(scene.picture, scene.area)) : zoom(2.5, pointOf(event)),
);
canvas.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.metaKey) return; // a plain wheel scrolls the page
  event.preventDefault();
  zoom(Math.exp(-event.deltaY * 0.01), pointOf(event));
}, { passive: false });

const KEYS = {
  ArrowRight: () => walk(1), ArrowDown: () => walk(1), ArrowLeft: () => walk(-1), ArrowUp: () => walk(-1),
  Escape: () => select(-1), "+": () => zoom(1.5), "=": () => zoom(1.5), "-": () => zoom(1 / 1.5),
  0: () => scene.picture && setView(fitView(scene.picture, scene.area)),
};
canvas.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key]();
});

const ACTIONS = {
  zoom_in: () => zoom(1.5),
  zoom_out: () => zoom(1 / 1.5),
  zoom_fit: () => setView(fitView(scene.picture, scene.area)),
  copy_said: (button) => copyText($(".said p").textContent, button, say),
  copy_tokens: (button) => copyText(value.text, button, say),
  save: savePicture,
};
for (const button of element.querySelectorAll("[data-do]")) {
  button.addEventListener("click", () => ACTIONS[button.dataset.do](button));
  if (!button.dataset.say) button.setAttribute("aria-label", say(button.dataset.do));
}
for (const button of element.querySelectorAll("[data-switch]"))
  button.addEventListener("click", () => {
    const on = (scene.options[button.dataset.switch] = !scene.options[button.dataset.switch]);
    button.setAttribute("aria-pressed", String(on));
    repaint();
  });
for (const slider of element.querySelectorAll("[data-slide]"))
  slider.addEventListener("input", () => {
    scene.options[slider.dataset.slide] = Number(slider.value);
    if (slider.dataset.slide === "score") {
      choose();
      renderList();
    }
    repaint();
  });

$("[data-choose]").addEventListener("change", (event) => {
  scene.options.ground = event.target.value;
  repaint();
});

// The picture as the person sent it, full size, with everything that is switched on.
async function savePicture() {
  const { picture, bitmap } = scene;
  if (!picture) return;
  const { original } = value.image;
  const large = original ? await loadImage(original.url) : null;
  const sheet = make("canvas", { width: picture.width, height: picture.height });
  const grow = Math.max(1, Math.max(picture.width, picture.height) / 900); // letters stay readable
  const area = { width: picture.width / grow, height: picture.height / grow };
  const view = { scale: 1 / grow, x: 0, y: 0 };
  const quiet = { hovered: -1, selected: -1, still: true, partial: null, ratio: grow };
  paintAll(sheet.getContext("2d"), { ...scene, ...quiet, bitmap: large || bitmap, area, view });
  sheet.toBlob((blob) => {
    const link = make("a", { href: URL.createObjectURL(blob), download: "gemma-vision.png" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }, "image/png");
}

function loadImage(url) {
  return new Promise((done) => {
    const picture = new Image();
    picture.onload = () => done(picture);
    picture.onerror = () => done(null);
    picture.src = url;
  });
}

if (props.empty) $(".empty p").dataset.say = props.empty; // what to do here, where it is not the usual
for (const node of element.querySelectorAll("[data-say]")) node.textContent = say(node.dataset.say);
for (const [selector, key] of [[".rows", "instances"], [".legend", "legend"], [".switches", "show"], [".tokens pre", "tokens_title"]])
  $(selector).setAttribute("aria-label", say(key));
$(".tokens").addEventListener("toggle", () => value && renderTokens($(".tokens pre"), value.text));
new ResizeObserver(() => resize(false)).observe(stage);
watch("value", receive);
receive();
