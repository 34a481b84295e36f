// The crops of pan-and-scan: the whole picture with their borders, then each of them by itself.

const panel = element.querySelector(".gv-crops");
const tongue = (navigator.language || "en").startsWith("ja") ? "ja" : "en";
const word = (key, values = {}) =>
  (props.words[tongue][key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
const HEIGHT = 92; // pixels of a thumbnail; the widest is limited too
const WIDEST = 300;
const ratio = Math.min(devicePixelRatio || 1, 2);
let shown = 0; // which value the pictures on their way belong to

function show() {
  const value = props.value;
  const mine = ++shown;
  panel.hidden = !value || !value.asked;
  if (panel.hidden) return;
  const { boxes, picture } = value;
  const views = panel.querySelector(".views");
  panel.querySelector("p").textContent = boxes.length ? word("crops_some", { n: boxes.length }) : word("crops_none");
  views.replaceChildren();
  if (!boxes.length || !picture.file) return;
  const image = new Image();
  image.onload = () => {
    if (mine !== shown) return;
    const whole = [0, 0, picture.width, picture.height];
    const first = thumbnail(image, picture, whole, word("crops_whole"));
    outline(first.querySelector("canvas"), picture, boxes);
    views.replaceChildren(first, ...boxes.map((box, i) => thumbnail(image, picture, box, sizeOf(box), i + 1)));
  };
  image.src = picture.file.url;
}

function sizeOf([x0, y0, x1, y1]) {
  return `${x1 - x0} × ${y1 - y0}`;
}

// What the model saw of that rectangle, in its own proportions.
function thumbnail(image, picture, [x0, y0, x1, y1], text, number) {
  const scale = Math.min(HEIGHT / (y1 - y0), WIDEST / (x1 - x0));
  const [width, height] = [Math.max(1, Math.round((x1 - x0) * scale)), Math.max(1, Math.round((y1 - y0) * scale))];
  const canvas = document.createElement("canvas");
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  canvas.style.width = `${width}px`;
  const brush = canvas.getContext("2d");
  brush.imageSmoothingQuality = "high";
  const [sx, sy] = [image.naturalWidth / picture.width, image.naturalHeight / picture.height];
  brush.drawImage(image, x0 * sx, y0 * sy, (x1 - x0) * sx, (y1 - y0) * sy, 0, 0, canvas.width, canvas.height);
  return framed(canvas, text, number);
}

function framed(canvas, text, number) {
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", number ? `${number}: ${text}` : text);
  if (number) caption.append(Object.assign(document.createElement("b"), { textContent: String(number) }));
  caption.append(text);
  figure.append(canvas, caption);
  return figure;
}

// Thin lines between the crops and their numbers, on the whole picture.
function outline(canvas, picture, boxes) {
  const brush = canvas.getContext("2d");
  const [sx, sy] = [canvas.width / picture.width, canvas.height / picture.height];
  brush.font = `600 ${11 * ratio}px system-ui, sans-serif`;
  boxes.forEach(([x0, y0, x1, y1], i) => {
    const [left, top, width, height] = [x0 * sx, y0 * sy, (x1 - x0) * sx, (y1 - y0) * sy];
    for (const [color, thickness] of [["rgba(0, 0, 0, 0.5)", 3], ["#ffffff", 1]]) {
      brush.strokeStyle = color;
      brush.lineWidth = thickness * ratio;
      brush.strokeRect(left, top, width, height); // neighbours share a line
    }
    const side = 15 * ratio;
    brush.fillStyle = "rgba(0, 0, 0, 0.7)";
    brush.fillRect(left + 3 * ratio, top + 3 * ratio, side, side);
    brush.fillStyle = "#ffffff";
    brush.textAlign = "center";
    brush.textBaseline = "middle";
    brush.fillText(String(i + 1), left + 3 * ratio + side / 2, top + 3.5 * ratio + side / 2);
  });
}

watch("value", show);
show();
