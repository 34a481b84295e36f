import assert from "node:assert/strict";
import { test } from "node:test";
import { modelFacts, modelTitle } from "../../gemma_vision/web/components/header_text.js";

/** Shows which text was asked for, and with what. */
const translate = (key, values = {}) => [key, ...Object.values(values)].join(":");
const state = {
  id: "google/paligemma-3b-mix-224",
  family: "paligemma",
  names: [],
  state: "ready",
  parameters: 2.9e9,
  device: "cuda",
  dtype: "bfloat16",
  change: null,
};
const titles = { paligemma: "PaliGemma" };
const change = { id: "a/b", phase: "reading", done: 1, total: 2 };

for (const [claim, changes, isDemo, text] of [
  ["a published checkpoint has its title and size", {}, false, "PaliGemma · model_size:2.9 B"],
  ["the demo model says how many drawings", { names: ["cat", "dog"] }, true, "model_demo:2"],
  [
    "a checkpoint that lists its names says how many",
    { id: "/srv/my-cats", names: ["cat"] },
    false,
    "model_listed:my-cats:1",
  ],
  [
    "a family without a title is called by its name",
    { family: "other", parameters: null },
    false,
    "paligemma-3b-mix-224",
  ],
  ["what is being loaded comes first", { change }, true, "models_loading:b · models_percent:50"],
  ["nothing may be loaded", { state: "none" }, false, "models_none"],
])
  test(claim, () => {
    assert.equal(modelTitle({ ...state, ...changes }, { titles, isDemo }, translate), text);
  });

test("facts are name, parameters, device and number type", () => {
  assert.equal(modelFacts(state), "paligemma-3b-mix-224 · 2.9 B · cuda · bfloat16");
  assert.equal(
    modelFacts({ ...state, parameters: null, device: null }),
    "paligemma-3b-mix-224 · bfloat16",
  );
});
