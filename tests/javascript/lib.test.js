import assert from "node:assert/strict";
import { test } from "node:test";
import {
  fillText,
  find,
  pageLanguage,
  translator,
} from "../../gemma_vision/web/components/lib/lib.js";

const TEXTS = { en: { hello: "Hello {name}", yes: "Yes" }, ja: { yes: "はい" } };

test("the page speaks Japanese where the browser asks for it, else English", () => {
  const tags = ["ja", "ja-JP", "en-GB", "de", "", undefined];
  assert.deepEqual(tags.map(pageLanguage), ["ja", "ja", "en", "en", "en", "en"]);
});

test("holes are filled, those without a value stay", () => {
  assert.equal(fillText("{n} of {total}", { n: 0 }), "0 of {total}");
});

test("what fills a hole is not filled again", () => {
  assert.equal(fillText("{a}", { a: "{b}", b: "code" }), "{b}");
});

test("a text comes in the page's language, a missing one as its key", () => {
  assert.equal(translator(TEXTS, "ja")("yes"), "はい");
  assert.equal(translator(TEXTS, "ja")("hello"), "hello");
  assert.equal(translator(TEXTS, "en")("hello", { name: "you" }), "Hello you");
});

test("a language without texts gets English ones", () => {
  assert.equal(translator(TEXTS, "fr")("yes"), "Yes");
});

test("a part that a template lacks is named", () => {
  const empty = /** @type {any} */ ({ querySelector: () => null });
  assert.throws(() => find(empty, ".gone"), /the template has no \.gone/);
});
