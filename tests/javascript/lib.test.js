import assert from "node:assert/strict";
import { test } from "node:test";
import {
  fillText,
  find,
  noteText,
  pageLanguage,
  readHoles,
  translator,
  wholeSentence,
} from "../../gemma_vision/web/components/lib/lib.js";

const TEXTS = {
  en: { "page:hello": "Hello {name}", "page:yes": "Yes", "chat:yes": "Yes!" },
  ja: { "page:yes": "はい" },
};
const root = { lang: "" };
globalThis.document = /** @type {any} */ ({ documentElement: root });

test("the page's language is the one that is written there, else English", () => {
  root.lang = "ja";
  assert.equal(pageLanguage(), "ja");
  root.lang = "";
  assert.equal(pageLanguage(), "en");
});

test("holes are filled, those without a value stay", () => {
  assert.equal(fillText("{n} of {total}", { n: 0 }), "0 of {total}");
});

test("what fills a hole is not filled again", () => {
  assert.equal(fillText("{a}", { a: "{b}", b: "code" }), "{b}");
});

test("a text comes in the page's language of that moment, a missing one as its key", () => {
  const translate = translator(["page"], TEXTS);
  root.lang = "en";
  assert.equal(translate("hello", { name: "you" }), "Hello you");
  root.lang = "ja";
  assert.equal(translate("yes"), "はい");
  assert.equal(translate("hello"), "hello");
});

test("a language without texts gets English ones", () => {
  root.lang = "fr";
  assert.equal(translator(["page"], TEXTS)("yes"), "Yes");
});

test("the first table that has a key gives its text", () => {
  root.lang = "en";
  assert.equal(translator(["chat", "page"], TEXTS)("yes"), "Yes!");
  assert.equal(translator(["chat", "page"], TEXTS)("hello"), "Hello {name}");
});

test("without a page there are no texts, and keys stand for themselves", () => {
  assert.equal(translator(["page"])("yes"), "yes");
});

test("a coded sentence is told by its code, and stays English with its code left out", () => {
  const de = { "notes:E_A": "Was?", "notes:E_REQUEST": "Nein." };
  const texts = { en: { "notes:E_A": "A?" }, de };
  const translate = translator(["notes"], texts);
  root.lang = "de";
  assert.equal(noteText("E_A: No a: give one.", translate), "Was? (No a: give one.)");
  assert.equal(noteText("E_B: No b.", translate), "Nein. (No b.)");
  assert.equal(noteText("E_B: No b.", translator(["notes"], { de: {} })), "No b.");
  assert.equal(noteText("No sound.", translate), "No sound.");
  assert.equal(noteText("note: E_A: x", translate), "note: E_A: x");
  root.lang = "en";
  assert.equal(noteText("E_A: No a.", translate), "No a.");
});

test("a sentence is known by its template, with what stands in its holes", () => {
  assert.deepEqual(readHoles("No {a} (0).", "No b (0)."), { a: "b" });
  assert.deepEqual(readHoles("{a}, {b}", "1, 2, 3"), { a: "1", b: "2, 3" });
  assert.deepEqual(readHoles("None.", "None."), {});
  assert.equal(readHoles("None.", "None!"), null);
  assert.equal(readHoles("No {a}.", "No ."), null);
});

test("a sentence that is known in the page's language is told in it alone", () => {
  const texts = {
    en: { "sentences:gone": "{name} is gone.", "notes:E_A": "Gone." },
    de: { "sentences:gone": "{name} ist weg.", "notes:E_A": "Weg." },
  };
  globalThis.gradio_config = /** @type {any} */ ({ i18n_translations: texts });
  root.lang = "de";
  assert.equal(noteText("E_A: a.png is gone."), "a.png ist weg.");
  assert.equal(noteText("E_A: b.png was never there."), "Weg. (b.png was never there.)");
  root.lang = "en";
  assert.equal(noteText("E_A: a.png is gone."), "a.png is gone.");
  root.lang = "xx";
  assert.equal(wholeSentence("a.png is gone."), null);
  globalThis.gradio_config = undefined;
});

test("a part that a template lacks is named", () => {
  const empty = /** @type {any} */ ({ querySelector: () => null });
  assert.throws(() => find(empty, ".gone"), /the template has no \.gone/);
});
