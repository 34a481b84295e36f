// What the scripts of several components share: elements, and texts in the visitor's language.
// Every text goes into the page as text, never as markup.

/** The language that Gradio shows the page in; the header writes it there. */
export function pageLanguage() {
  return document.documentElement.lang || "en";
}

/**
 * Calls back whenever the page's language changes.
 * @param {() => void} callback
 */
export function onLanguage(callback) {
  const attribute = { attributes: true, attributeFilter: ["lang"] };
  new MutationObserver(callback).observe(document.documentElement, attribute);
}

/**
 * Renders now, and again whenever Python sends the value or the page's language changes.
 * @param {() => void} render
 */
export function renderLive(render) {
  watch("value", render);
  onLanguage(render);
  render();
}

/**
 * "{n} objects" with {n: 3} -> "3 objects"; a hole without a value stays.
 * @param {string} text
 * @param {Record<string, unknown>} values
 */
export function fillText(text, values) {
  return text.replace(/\{(\w+)\}/g, (hole, name) => String(values[name] ?? hole));
}

/**
 * Texts by key in the page's language at that moment, of the first table that has the key; a key
 * without a text stands for itself.
 * @param {string[]} tables
 * @param {Texts} [texts]
 * @returns {Translate}
 */
export function translator(tables, texts = globalThis.gradio_config?.i18n_translations ?? {}) {
  return (key, values = {}) => {
    const own = texts[pageLanguage()] ?? texts.en ?? {};
    const table = tables.find((name) => `${name}:${key}` in own);
    return fillText(own[`${table}:${key}`] ?? key, values);
  };
}

const CODE = /^[EW]_[A-Z_]+$/;
const CODED = /^([EW]_[A-Z_]+): (.*)$/s;

/**
 * What stands in the holes of a template where a sentence is that template; null where it is not.
 * @param {string} template
 * @param {string} sentence
 * @returns {Record<string, string> | null}
 */
export function readHoles(template, sentence) {
  const parts = template.split(/\{(\w+)\}/);
  const pattern = parts.map((part, place) =>
    place % 2 ? `(?<${part}>.+?)` : part.replace(/[$()*+.?[\\\]^{|}]/g, "\\$&"),
  );
  const found = new RegExp(`^${pattern.join("")}$`, "s").exec(sentence);
  return found && { ...found.groups };
}

/**
 * A sentence of the library in the page's language, where all of it is known there; else null.
 * @param {string} sentence
 * @param {Texts} [texts]
 */
export function wholeSentence(sentence, texts = globalThis.gradio_config?.i18n_translations ?? {}) {
  const own = texts[pageLanguage()] ?? {};
  for (const [key, template] of Object.entries(texts.en ?? {})) {
    if (!key.startsWith("sentences:") || !(key in own)) continue;
    const values = readHoles(template, sentence);
    if (values) return fillText(own[key], values);
  }
  return null;
}

/**
 * A sentence of the library as a visitor reads it: "E_NO_IMAGE: Give one." -> the same in the page's
 * language where it is known there, else what the code means and the English sentence with its names
 * and numbers. A code of which nothing is known says that the request cannot be used.
 * @param {string} note
 * @param {Translate} [translate]
 */
export function noteText(note, translate = translator(["notes"])) {
  const found = CODED.exec(note);
  if (!found) return note;
  const [, code, sentence] = found;
  const whole = pageLanguage() === "en" ? sentence : wholeSentence(sentence);
  if (whole !== null) return whole;
  const meaning = [code, "E_REQUEST"].map((key) => translate(key)).find((text) => !CODE.test(text));
  return meaning ? `${meaning} (${sentence})` : sentence;
}

/**
 * The part of a template that a selector names. Templates have all their parts.
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {HTMLElement}
 */
export function find(root, selector) {
  const found = root.querySelector(selector);
  if (!found) throw new Error(`the template has no ${selector}`);
  return /** @type {HTMLElement} */ (found);
}

/**
 * A new element. `text` is its text, `on...` its listeners; null and false set no attribute.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [attributes]
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

/**
 * The context that draws on a canvas.
 * @param {HTMLCanvasElement} canvas
 */
export function brushOf(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}
