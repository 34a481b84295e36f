// The stages of one image. Every word goes through textContent; images are data addresses.

import { paintEdges } from "./inside_edges.js";
import { codeHue, cropStyle, maskStyle } from "./inside_geometry.js";
import { formatProbability, tokenKind, visibleText } from "./lib/format.js";
import { find, make, noteText, pageLanguage, renderLive, translator } from "./lib/lib.js";

const panel = find(element, ".gv-inside");
const translate = translator(props.words);
const drawn = new Map(); // name of a stage -> what it was last drawn from
let selectedToken = -1;
let modelImage = ""; // address of what the model is given, for drawings on top of it

/** @param {StagePicture} picture */
function imageFigure({ key, src, n }) {
  const alt = translate(`pic_${key}`, { n });
  return make(
    "figure",
    { class: `pic pic-${key}` },
    make("div", { class: "frame" }, make("img", { src, alt })),
    make("figcaption", { text: alt }),
  );
}

/** @param {Node[]} figures */
function imageRow(...figures) {
  return make("div", { class: "pics" }, ...figures);
}

/** @param {Stage} stage */
function plainBody(stage) {
  const row = imageRow(...stage.pictures.map(imageFigure));
  const ruled = row.querySelector(".pic-ruled .frame");
  if (ruled instanceof HTMLElement) {
    for (const side of ["rows", "columns"])
      ruled.style.setProperty(`--${side}`, String(stage.facts[side]));
  }
  return [row];
}

/** @param {Stage} stage */
function cropsBody(stage) {
  const [row] = plainBody(stage);
  for (const box of /** @type {Box[]} */ (stage.boxes)) {
    const crop = make("i", { class: "crop" });
    Object.assign(crop.style, cropStyle(box));
    find(row, ".frame").append(crop);
  }
  return [row];
}

/** @param {Stage} stage */
function mergedBody(stage) {
  const runs = stage.runs.map(({ soft, text }) =>
    soft
      ? make("span", { class: "run soft", text: translate("soft_run", { n: soft }) })
      : make("span", { class: "run", text: visibleText(text) }),
  );
  return [make("p", { class: "runs" }, ...runs), ...plainBody(stage)];
}

/** @param {Stage} stage */
function tokensBody(stage) {
  const list = make("div", { class: "tokens" });
  const rivals = make("p", { class: "rivals", role: "status" });
  /** @param {number} index */
  const select = (index) => {
    selectedToken = index;
    for (const [place, chip] of [...list.children].entries())
      chip.setAttribute("aria-pressed", String(place === index));
    rivals.replaceChildren(...rivalNodes(stage.tokens[index]));
  };
  list.append(...stage.tokens.map((token, index) => tokenChip(token, () => select(index))));
  if (selectedToken >= 0 && selectedToken < stage.tokens.length) select(selectedToken);
  return [
    list,
    rivals,
    ...(stage.boxes.length ? edgesBody(/** @type {EdgeBox[]} */ (stage.boxes)) : []),
  ];
}

/**
 * @param {Token} token
 * @param {() => void} onclick
 */
function tokenChip(token, onclick) {
  const kind = tokenKind(token.text);
  const chip = make("button", {
    class: kind ? `token ${kind}` : "token",
    type: "button",
    text: visibleText(token.text),
    "aria-pressed": "false",
    onclick,
  });
  chip.style.setProperty("--p", String(token.at === null ? token.p : token.score));
  return chip;
}

/**
 * How sure the model was of a token, and what else it could have been.
 * @param {Token} token
 */
function rivalNodes(token) {
  const own = [`${visibleText(token.text)} ${formatProbability(token.p)}`];
  if (token.at !== null) own.push(translate("neighbours", { p: formatProbability(token.score) }));
  const rivals = token.rivals.map(([text, part]) =>
    make("span", { class: "run", text: `${visibleText(text)} ${formatProbability(part)}` }),
  );
  return [make("b", { text: own.join(", ") }), ` ${translate("could_be")} `, ...rivals];
}

/** @param {EdgeBox[]} boxes */
function edgesBody(boxes) {
  const figures = boxes.map(({ edges }, index) => {
    const places = Object.entries(edges).map(([name, edge]) => [name, edge.at]);
    const text = translate("edges_alt", { n: index + 1, ...Object.fromEntries(places) });
    const canvas = make("canvas", { role: "img", "aria-label": text });
    paintEdges(canvas, edges, modelImage);
    return make("figure", { class: "pic pic-edges" }, canvas, make("figcaption", { text }));
  });
  return [make("p", { class: "sub", text: translate("edges_title") }), imageRow(...figures)];
}

/** @param {Stage} stage */
function masksBody(stage) {
  return stage.masks.map((mask) =>
    imageRow(codesFigure(mask), imageFigure({ key: "chances", src: mask.src }), placedFigure(mask)),
  );
}

/** @param {MaskStage} mask */
function codesFigure(mask) {
  const cells = mask.codes.map((code) => {
    const cell = make("span", { text: String(code).padStart(3, "0") });
    cell.style.setProperty("--hue", String(codeHue(code)));
    return cell;
  });
  return make(
    "figure",
    { class: "pic pic-codes" },
    make("div", { class: "codes" }, ...cells),
    make("figcaption", { text: translate("pic_codes", { label: mask.label || "?" }) }),
  );
}

/** @param {MaskStage} mask */
function placedFigure(mask) {
  const figure = imageFigure({ key: "placed", src: modelImage });
  const cut = make("i", { class: "mask" });
  Object.assign(cut.style, maskStyle(mask.box));
  cut.style.setProperty("--mask", `url("${mask.src}")`);
  find(figure, ".frame").append(cut);
  return figure;
}

/** @type {Record<string, (stage: Stage) => HTMLElement[]>} */
const BODIES = { crops: cropsBody, merged: mergedBody, tokens: tokensBody, masks: masksBody };

/** @param {Stage} stage */
function stageItem(stage) {
  const text = stage.shape.join(" × ");
  const label = `${translate("stage_shape")} ${text}`;
  const title = make("h3", { text: translate(`stage_${stage.name}`) });
  return make(
    "li",
    { class: `stage stage-${stage.name}`, "data-name": stage.name },
    make(
      "div",
      { class: "head" },
      title,
      make("code", { class: "shape", "aria-label": label, text }),
    ),
    make("p", { class: "text", text: translate(`stage_${stage.name}_text`, stage.facts) }),
    ...(BODIES[stage.name] ?? plainBody)(stage),
  );
}

/**
 * Stages that have not changed are left alone, so that a focused token stays focused.
 * @param {HTMLElement} list
 * @param {Stage} stage
 * @param {number} place
 */
function renderStage(list, stage, place) {
  if (stage.name === "pixels") modelImage = stage.pictures[0].src;
  const source = JSON.stringify(stage) + modelImage + pageLanguage();
  if (drawn.get(stage.name) === source) return;
  if (!drawn.has("tokens")) selectedToken = -1;
  drawn.set(stage.name, source);
  const item = stageItem(stage);
  const before = /** @type {HTMLElement | undefined} */ (list.children[place]);
  if (before?.dataset.name === stage.name) before.replaceWith(item);
  else list.insertBefore(item, before ?? null);
}

/**
 * @param {HTMLElement} list
 * @param {Stage[]} stages
 */
function removeOtherStages(list, stages) {
  const names = new Set(stages.map((stage) => stage.name));
  for (const item of /** @type {HTMLElement[]} */ ([...list.children])) {
    const name = item.dataset.name ?? "";
    if (names.has(name)) continue;
    item.remove();
    drawn.delete(name);
  }
}

function renderStages() {
  /** @type {{state: string, notes: string[], stages: Stage[]}} */
  const value = props.value || { state: "empty", notes: [], stages: [] };
  const list = find(panel, ".stages");
  const isEmpty = value.state === "empty";
  const status = [
    translate(`state_${value.state}`),
    ...value.notes.map((note) => noteText(note)),
  ].join(" · ");
  panel.dataset.state = value.state;
  find(panel, ".status").textContent = isEmpty ? translate("inside_empty") : status;
  removeOtherStages(list, value.stages);
  for (const [place, stage] of value.stages.entries()) renderStage(list, stage, place);
}

renderLive(renderStages);
