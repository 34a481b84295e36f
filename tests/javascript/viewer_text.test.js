import assert from "node:assert/strict";
import { test } from "node:test";
import { emphasis, fadeIn, inkOn } from "../../gemma_vision/web/components/viewer_brush.js";
import {
  groupLabels,
  isStale,
  joinSentences,
  rowTexts,
  splitTokens,
  statusText,
  summaryText,
} from "../../gemma_vision/web/components/viewer_text.js";

/** Shows which text was asked for, and with what. */
const translate = (key, values = {}) => [key, ...Object.values(values)].join(":");
const cat = { label: "cat", color: "#112233", box: [0, 0, 1, 1], score: null };
const dog = { ...cat, label: "dog", color: "#445566" };
const status = {
  state: "done",
  finish: "stop",
  task: "detect",
  tokens: 0,
  limit: 256,
  room: null,
  seconds: null,
};

for (const [claim, changes, instances, text, words = ""] of [
  ["one thing is counted as one", {}, [cat], "state_done · objects_one:1"],
  ["nothing found is counted where boxes were asked for", {}, [], "state_done · objects:0"],
  ["a caption counts no things", { task: "caption" }, [], "state_done"],
  ["boxes in a free answer are counted", { task: "free" }, [cat, dog], "state_done · objects:2"],
  ["nothing found counts no things", { state: "empty" }, [], "state_empty"],
  ["no word is no answer", { state: "empty", task: "ask" }, [], "state_blank"],
  [
    "a word for nothing is an answer",
    { state: "empty", task: "caption" },
    [],
    "state_empty",
    "none",
  ],
  ["the checkpoint stands last", { model: "a/b" }, [cat], "state_done · objects_one:1 · b"],
  [
    "whose masks they are stands behind it",
    { model: "a/b", masks_by: "c/d" },
    [cat],
    "state_done · objects_one:1 · b · masks_by:d",
  ],
  ["an error says nothing else", { state: "error", tokens: 5 }, [cat], "state_error"],
  [
    "tokens and seconds follow",
    { tokens: 12, seconds: 2.04 },
    [cat],
    "state_done · objects_one:1 · tokens:12 · 2.0 s",
  ],
  [
    "a running answer says how much room is left",
    { state: "running", tokens: 7, room: 30 },
    [cat],
    "state_running · objects_one:1 · tokens_of:7:256 · room_detect:30",
  ],
  [
    "an early end is named",
    { finish: "repeat" },
    [cat],
    "state_done · objects_one:1 · finish_repeat",
  ],
])
  test(claim, () => {
    const value = { status: { ...status, ...changes }, instances, words };
    assert.equal(statusText(value, translate), text);
  });

test("where guidance tells of an early end, the status does not", () => {
  const value = { status: { ...status, finish: "length" }, instances: [cat], guidance: [] };
  assert.equal(statusText(value, translate), "state_done · objects_one:1");
});

for (const [claim, asking, changes, expected] of [
  ["an answer to what the form asks is none from before", { asked: "a", now: "a" }, {}, false],
  ["another word, picture or option makes it one", { asked: "a", now: "b" }, {}, true],
  ["so does another checkpoint", { asked: "a", now: "a", model: "x" }, { model: "y" }, true],
  [
    "the checkpoint that answered does not",
    { asked: "a", now: "a", model: "x" },
    { model: "x" },
    false,
  ],
  ["while it grows it is not yet old", { asked: "a", now: "b" }, { state: "running" }, false],
])
  test(claim, () => {
    assert.equal(isStale({ model: null, ...asking }, { ...status, ...changes }), expected);
  });

test("labels that are listed come first, and stay while nothing bears them", () => {
  const listed = groupLabels([cat]);
  const groups = groupLabels([dog, dog], listed);
  assert.deepEqual(
    groups.map(({ label, count }) => [label, count]),
    [
      ["cat", 0],
      ["dog", 2],
    ],
  );
  assert.equal(listed[0].count, 1);
});

test("labels are grouped in the order of their first things", () => {
  assert.deepEqual(groupLabels([dog, cat, dog]), [
    { label: "dog", color: "#445566", count: 2, unasked: false },
    { label: "cat", color: "#112233", count: 1, unasked: false },
  ]);
});

test("the image is described by what was found on it", () => {
  const unnamed = { ...cat, label: "" };
  assert.equal(summaryText({ instances: [] }, translate), "picture");
  assert.equal(
    summaryText({ instances: [cat, cat, unnamed] }, translate),
    "picture_with:2 × cat, ?",
  );
});

test("a row has the name, the score and whole pixels", () => {
  const found = { ...cat, box: [0.4, 1.5, 9.6, 20], score: 0.5 };
  assert.deepEqual(rowTexts({ ...found, only: false }, translate), ["cat", "50%", "0, 2, 10, 20"]);
  assert.deepEqual(rowTexts({ ...found, only: true }, translate)[0], "cat (only_here)");
  assert.deepEqual(rowTexts({ ...found, unasked: true }, translate)[0], "cat (unasked)");
});

test("positions, codes and words are told apart, and nothing is lost", () => {
  const text = "<loc0001><seg007> cat <loc12> ; <script>";
  const parts = splitTokens(text);
  assert.deepEqual(parts.slice(0, 2), [
    { kind: "loc", text: "<loc0001>" },
    { kind: "seg", text: "<seg007>" },
  ]);
  assert.equal(parts[2].kind, "word");
  assert.equal(parts.map((part) => part.text).join(""), text);
});

test("others fade while one thing is looked at; what one points at comes first", () => {
  const rest = { hovered: -1, selected: -1 };
  assert.equal(emphasis({ index: 1 }, rest), 1);
  assert.equal(emphasis({ index: 1 }, { ...rest, selected: 1 }), 1);
  assert.ok(emphasis({ index: 1 }, { hovered: 0, selected: 1 }) < 1);
});

test("a new thing appears within a quarter of a second, at once where nothing may move", () => {
  assert.equal(fadeIn({ born: 1000 }, { now: 1125, still: false }), 0.5);
  assert.equal(fadeIn({ born: 1000 }, { now: 9000, still: false }), 1);
  assert.equal(fadeIn({ born: 1000 }, { now: 1000, still: true }), 1);
});

test("letters are black on light colours and white on dark ones", () => {
  const inks = ["#ffffff", "#ffe119", "#000000", "#1f3b99"].map(inkOn);
  assert.deepEqual(inks, ["#000000", "#000000", "#ffffff", "#ffffff"]);
});

test("sentences are heard one by one, each with one stop", () => {
  const told = [
    "done · 1 object",
    "zebraa is not known.",
    " ",
    "見つかりません。",
    "Which one?",
    "Ask for:",
  ];
  const heard = "done · 1 object. zebraa is not known. 見つかりません。 Which one? Ask for:";
  assert.equal(joinSentences(told), heard);
});
