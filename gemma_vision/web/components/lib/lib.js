// What the scripts of several components share: elements, and texts in the visitor's language.
// Every text goes into the page as text, never as markup.

/**
 * The language of the page's texts for a browser's language tag.
 * @param {string | undefined} tag
 * @returns {"en" | "ja"}
 */
export function pageLanguage(tag) {
  return (tag || "en").startsWith("ja") ? "ja" : "en";
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
 * Texts by key in one language; a key without a text stands for itself.
 * @param {Texts} texts
 * @param {string} [language]
 * @returns {Translate}
 */
export function translator(texts, language = pageLanguage(navigator.language)) {
  const own = texts[language] ?? texts.en;
  return (key, values = {}) => fillText(own[key] ?? key, values);
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
