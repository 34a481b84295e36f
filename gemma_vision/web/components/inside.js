// The stages of one picture. Every word goes through textContent; pictures are data addresses.

const panel = element.querySelector(".gv-inside");
const tongue = (navigator.language || "en").startsWith("ja") ? "ja" : "en";
const word = (key, values = {}) =>
  (props.words[tongue][key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
const percent = (part) => `${part >= 0.9995 || part < 0.0005 ? Math.round(part * 100) : (part * 100).toFixed(1)} %`;
const shown = new Map(); // name of a stage -> what it was last drawn from
const picked = { token: -1 };
let photo = ""; // what the model is given, for drawings on top of it

function make(tag, className = "", text = null) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== null) node.textContent = text;
  return node;
}

function picture({ key, src, n }, values = {}) {
  const figure = make("figure", `pic pic-${key}`);
  const frame = make("div", "frame");
  const image = make("img");
  const told = word(`pic_${key}`, { n, ...values });
  image.src = src;
  image.alt = told;
  frame.append(image);
  figure.append(frame, make("figcaption", "", told));
  return figure;
}

function plain(stage) {
  const row = make("div", "pics");
  row.append(...stage.pictures.map((one) => picture(one)));
  const ruled = row.querySelector(".pic-ruled .frame");
  if (ruled) ruled.style.setProperty("--grid", stage.facts.grid);
  return [row];
}

function cropped(stage) {
  const [row] = plain(stage);
  for (const [x0, y0, x1, y1] of stage.boxes) {
    const box = make("i", "crop");
    const place = { left: x0, top: y0, width: x1 - x0, height: y1 - y0 };
    for (const side in place) box.style[side] = `${place[side] * 100}%`;
    row.querySelector(".frame").append(box);
  }
  return [row];
}

function sequence(stage) {
  const line = make("p", "runs");
  for (const run of stage.runs) {
    line.append(run.soft ? make("span", "run soft", word("soft_run", { n: run.soft })) : make("span", "run", spelled(run.text)));
  }
  return [line, ...plain(stage)];
}

const spelled = (text) => (text === "" ? "∅" : text.replaceAll("\n", "⏎").replace(/^ +| +$/g, (gap) => "·".repeat(gap.length)));
const kind = (text) => (/^<loc\d/.test(text) ? " loc" : /^<seg\d/.test(text) ? " seg" : "");

function chips(stage) {
  const list = make("div", "tokens");
  const more = make("p", "rivals");
  more.setAttribute("role", "status");
  const pick = (index) => {
    const token = stage.tokens[index];
    picked.token = index;
    [...list.children].forEach((chip, place) => chip.setAttribute("aria-pressed", String(place === index)));
    const own = token.at === null ? percent(token.p) : `${percent(token.p)}, ${word("neighbours", { p: percent(token.score) })}`;
    more.replaceChildren(make("b", "", `${spelled(token.text)} ${own}`), ` ${word("could_be")} `);
    more.append(...token.rivals.map(([text, part]) => make("span", "run", `${spelled(text)} ${percent(part)}`)));
  };
  stage.tokens.forEach((token, index) => {
    const chip = make("button", `token${kind(token.text)}`, spelled(token.text));
    chip.type = "button";
    chip.style.setProperty("--p", token.at === null ? token.p : token.score);
    chip.setAttribute("aria-pressed", "false");
    chip.addEventListener("click", () => pick(index));
    list.append(chip);
  });
  if (picked.token >= 0 && picked.token < stage.tokens.length) pick(picked.token);
  return [list, more, ...(stage.boxes.length ? edges(stage.boxes) : [])];
}

function edges(boxes) {
  const row = make("div", "pics");
  boxes.forEach(({ edges: found }, index) => {
    const figure = make("figure", "pic pic-edges");
    const canvas = make("canvas");
    const told = Object.fromEntries(Object.entries(found).map(([name, edge]) => [name, edge.at]));
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", word("edges_alt", { n: index + 1, ...told }));
    figure.append(canvas, make("figcaption", "", canvas.getAttribute("aria-label")));
    row.append(figure);
    drawEdges(canvas, found);
  });
  return [make("p", "sub", word("edges_title")), row];
}

const SIDE = 300, MARGIN = 54, COLOURS = { x0: "#d9772b", x1: "#b0408c", y0: "#1f87b4", y1: "#2c9a62" };

function drawEdges(canvas, found) {
  const scale = Math.max(2, window.devicePixelRatio || 1), whole = SIDE + MARGIN;
  const pen = canvas.getContext("2d"), image = new Image();
  canvas.width = canvas.height = whole * scale;
  image.onload = () => {
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.drawImage(image, MARGIN, MARGIN, SIDE, SIDE);
    for (const name in found) drawEdge(pen, found[name], name[0] === "x", COLOURS[name]);
  };
  image.src = photo;
}

function drawEdge(pen, edge, isAcross, colour) {
  const levels = Uint8Array.from(atob(edge.levels), (letter) => letter.charCodeAt(0));
  const point = (along, high) => (isAcross ? [MARGIN + along, MARGIN - 4 - high] : [MARGIN - 4 - high, MARGIN + along]);
  const at = ((edge.at + 0.5) / 1024) * SIDE;
  pen.fillStyle = pen.strokeStyle = colour;
  pen.beginPath();
  pen.moveTo(...point(0, 0));
  levels.forEach((level, bin) => pen.lineTo(...point(((bin + 0.5) / levels.length) * SIDE, (level / 255) * (MARGIN - 8))));
  pen.lineTo(...point(SIDE, 0));
  pen.globalAlpha = 0.35;
  pen.fill();
  pen.globalAlpha = 1;
  pen.lineWidth = 1.2;
  pen.stroke();
  pen.lineWidth = 2;
  pen.beginPath();
  pen.moveTo(...point(at, 0));
  pen.lineTo(...point(at, -4 - SIDE));
  pen.stroke();
}

function codes(stage) {
  return stage.masks.map((mask) => {
    const row = make("div", "pics");
    const figure = make("figure", "pic pic-codes"), grid = make("div", "codes");
    for (const code of mask.codes) {
      const cell = make("span", "", String(code).padStart(3, "0"));
      cell.style.setProperty("--hue", Math.round((code / 128) * 360));
      grid.append(cell);
    }
    figure.append(grid, make("figcaption", "", word("pic_codes", { label: mask.label || "?" })));
    row.append(figure, picture({ key: "chances", src: mask.src }), placed(mask));
    return row;
  });
}

function placed(mask) {
  const figure = picture({ key: "placed", src: photo });
  const [y0, x0, y1, x1] = mask.box.map((unit) => `${(unit / 1024) * 100}%`);
  const cut = make("i", "mask");
  Object.assign(cut.style, { left: x0, top: y0, width: `calc(${x1} - ${x0})`, height: `calc(${y1} - ${y0})` });
  cut.style.setProperty("--mask", `url("${mask.src}")`);
  figure.querySelector(".frame").append(cut);
  return figure;
}

const BODIES = { crops: cropped, merged: sequence, tokens: chips, masks: codes };

function build(stage) {
  const item = make("li", `stage stage-${stage.name}`);
  const head = make("div", "head"), shape = make("code", "shape", stage.shape.join(" × "));
  shape.setAttribute("aria-label", `${word("stage_shape")} ${stage.shape.join(" × ")}`);
  head.append(make("h3", "", word(`stage_${stage.name}`)), shape);
  item.dataset.name = stage.name;
  item.append(head, make("p", "text", word(`stage_${stage.name}_text`, stage.facts)), ...(BODIES[stage.name] || plain)(stage));
  return item;
}

function show() {
  const value = props.value || { state: "empty", notes: [], stages: [] };
  const list = panel.querySelector(".stages");
  panel.dataset.state = value.state;
  panel.querySelector(".status").textContent =
    value.state === "empty" ? word("inside_empty") : [word(`state_${value.state}`), ...value.notes].join(" · ");
  const names = value.stages.map((stage) => stage.name);
  for (const item of [...list.children]) if (!names.includes(item.dataset.name)) item.remove(), shown.delete(item.dataset.name);
  value.stages.forEach((stage, place) => {
    if (stage.name === "pixels") photo = stage.pictures[0].src;
    const source = JSON.stringify(stage) + photo;
    if (shown.get(stage.name) === source) return;
    if (!shown.has("tokens")) picked.token = -1;
    shown.set(stage.name, source);
    const item = build(stage), before = list.children[place];
    before?.dataset.name === stage.name ? before.replaceWith(item) : list.insertBefore(item, before ?? null);
  });
}

watch("value", show);
show();
