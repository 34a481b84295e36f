import assert from "node:assert/strict";
import { test } from "node:test";
import { chatStatus } from "../../gemma_vision/web/components/chat_text.js";
import { differencesText } from "../../gemma_vision/web/components/compare_text.js";
import {
  boxSizeText,
  scaledRect,
  thumbnailSize,
} from "../../gemma_vision/web/components/crops_geometry.js";
import {
  binOffset,
  codeHue,
  cropStyle,
  decodeLevels,
  edgeCurve,
  maskStyle,
} from "../../gemma_vision/web/components/inside_geometry.js";
import {
  canBeToken,
  faultyStep,
  groupRows,
  hubPage,
  kindsOf,
  phaseText,
  recommendedFacts,
  rowFacts,
  tokenText,
  tooSmallText,
} from "../../gemma_vision/web/components/model_choice_text.js";
import { progressText } from "../../gemma_vision/web/components/progress_text.js";
import { playheadOffset, spanStyle } from "../../gemma_vision/web/components/timeline_geometry.js";

/** Shows which text was asked for, and with what. */
const translate = (key, values = {}) => [key, ...Object.values(values)].join(":");

const compared = { both: 1, left: 2, right: 0, overlap: 0.917 };
for (const [claim, value, text] of [
  ["nothing compared yet says what to do", null, "compare_empty"],
  ["a note stands alone", { ...compared, note: "No." }, "No."],
  ["a comparison that runs says so", { ...compared, state: "running" }, "state_running"],
  ["two answers of the same words are the same", { ...compared, same: true }, "compare_same"],
  [
    "answers without things differ in words",
    { both: 0, left: 0, right: 0, overlap: null },
    "compare_words",
  ],
])
  test(claim, () => assert.equal(differencesText(value, translate), text));

test("differences are counted on both sides, with the overlap where something is shared", () => {
  const fill = (key, values) => `${key} ${values.n ?? values[key.slice("compare_".length)]}`;
  const text = differencesText(compared, fill);
  assert.equal(text, "compare_both 1 · compare_left 2 · compare_right 0 · compare_overlap 0.92");
  assert.doesNotMatch(differencesText({ ...compared, overlap: null }, fill), /overlap/);
});

test("a thumbnail keeps the crop's proportions within its height and width", () => {
  assert.deepEqual(thumbnailSize([0, 0, 640, 480]), { width: 123, height: 92 });
  assert.deepEqual(thumbnailSize([0, 0, 1000, 100]), { width: 300, height: 30 });
  assert.deepEqual(thumbnailSize([0, 0, 5000, 1]), { width: 300, height: 1 });
  assert.equal(boxSizeText([10, 20, 330, 260]), "320 × 240");
});

test("a box follows its image to another size", () => {
  const [from, to] = [
    { width: 100, height: 50 },
    { width: 200, height: 25 },
  ];
  assert.deepEqual(scaledRect([10, 10, 30, 20], from, to), [20, 5, 40, 5]);
});

test("an edge's probabilities run along the side between its two ends", () => {
  const levels = decodeLevels(btoa(String.fromCharCode(0, 255)));
  assert.deepEqual(levels, [0, 1]);
  assert.deepEqual(edgeCurve(levels, 100, 40), [
    [0, 0],
    [25, 0],
    [75, 40],
    [100, 0],
  ]);
});

test("a bin's place is its middle", () => {
  assert.equal(binOffset(0, 1024), 0.5);
  assert.equal(binOffset(1023, 1024), 1023.5);
});

test("codes go once round the hues", () => {
  assert.deepEqual([0, 64, 127].map(codeHue), [0, 180, 357]);
});

test("crops and masks lie on their image in parts of it", () => {
  assert.deepEqual(cropStyle([0.25, 0, 0.75, 1]), {
    left: "25%",
    top: "0%",
    width: "50%",
    height: "100%",
  });
  assert.deepEqual(maskStyle([0, 256, 512, 1024]), {
    left: "25%",
    top: "0%",
    width: "calc(100% - 25%)",
    height: "calc(50% - 0%)",
  });
});

const row = {
  id: "google/x",
  title: "PaliGemma",
  here: false,
  parameters: 3e9,
  side: 448,
  bytes: 6 * 2 ** 30,
  licence: "gemma",
};

test("a checkpoint's row says its size, side, what there is to fetch and its licence", () => {
  assert.equal(rowFacts(row, translate), "3.0 B · 448 px · models_fetch:6.0 GiB");
  assert.equal(
    rowFacts({ ...row, here: true }, translate),
    "3.0 B · 448 px · 6.0 GiB · models_licence:gemma",
  );
  assert.equal(
    rowFacts({ ...row, here: true, licence: "" }, translate),
    "3.0 B · 448 px · 6.0 GiB",
  );
  assert.equal(rowFacts({ ...row, parameters: null, side: null, licence: null }, translate), "");
});

test("what is here stands first, then line by line, in an order of their own", () => {
  const rows = [
    { ...row, here: true, id: "a" },
    { ...row, title: "Other", id: "b" },
    { ...row, title: "PaliGemma", id: "c" },
    { ...row, title: "PaliGemma 2", id: "d" },
    { ...row, title: "PaliGemma", id: "e" },
  ];
  const groups = groupRows(rows, translate).map(({ title, isHere, rows }) => [
    title,
    isHere,
    rows.map(({ id }) => id).join(""),
  ]);
  assert.deepEqual(groups, [
    ["models_here", true, "a"],
    ["PaliGemma 2", false, "d"],
    ["PaliGemma", false, "ce"],
    ["Other", false, "b"],
  ]);
  assert.equal(groupRows(rows.slice(1), translate)[0].isHere, false);
});

test("within a line the kind for use as it is comes first", () => {
  const kinds = kindsOf(["ft", "pt", "", "mix", "pt"].map((kind) => ({ ...row, kind })));
  assert.deepEqual(
    kinds.map(([kind, rows]) => [kind, rows.length]),
    [
      ["mix", 1],
      ["pt", 2],
      ["ft", 1],
      ["", 1],
    ],
  );
});

for (const [claim, id, page] of [
  [
    "an id has a page on the Hub",
    "google/gemma-3-4b-it",
    "https://huggingface.co/google/gemma-3-4b-it",
  ],
  ["a folder has none", "tiny", ""],
  ["a path has none", "/srv/a/b", ""],
  ["what is no id has none", "javascript:alert(1)/x", ""],
])
  test(claim, () => assert.equal(hubPage(id), page));

const best = {
  id: "google/x",
  device: "cpu",
  need: 6 * 2 ** 30,
  room: 12 * 2 ** 30,
  fits: true,
  packed_need: null,
};
test("a recommendation says what it needs, what there is and what comes over the network", () => {
  assert.equal(
    recommendedFacts(best, row, translate),
    "door_needs:6.0 GiB:12.0 GiB:cpu · models_fetch:6.0 GiB",
  );
  assert.equal(
    recommendedFacts(best, { ...row, here: true }, translate),
    "door_needs:6.0 GiB:12.0 GiB:cpu · door_here",
  );
});

test("where none fits that is said, and what would do where something does", () => {
  const small = { ...best, fits: false, room: -5 };
  assert.equal(tooSmallText(small, translate), "door_short:google/x:6.0 GiB:0.1 MiB:cpu");
  assert.equal(
    tooSmallText({ ...small, packed_need: 2 ** 31 }, translate),
    "door_short:google/x:6.0 GiB:0.1 MiB:cpu door_packed:2.0 GiB",
  );
});

for (const [source, taken, text] of [
  ["given", true, "token_given"],
  ["login", true, "token_login"],
  ["environment", true, "token_environment"],
  ["none", true, "token_none"],
  ["environment", false, "token_operator"],
  ["none", false, "token_operator_none"],
])
  test(`a token from ${source} is told${taken ? "" : " to strangers"} by where it is from`, () =>
    assert.equal(tokenText({ source, taken }, translate), text));

for (const [text, isOne] of [
  ["hf_abcdefGH12", true],
  ["hf_two words", false],
  ["hf_", false],
  ["", false],
  ["x".repeat(401), false],
])
  test(`"${text.slice(0, 9)}" ${isOne ? "can" : "cannot"} be a token`, () =>
    assert.equal(canBeToken(text), isOne));

for (const [code, step] of [
  ["E_LICENCE", "licence"],
  ["E_MODEL_GATED", "token"],
  ["E_TOKEN_REFUSED", "token"],
  ["E_OFFLINE", ""],
  [undefined, ""],
])
  test(`${code} is about the step "${step}"`, () => assert.equal(faultyStep(code), step));

test("a change counts bytes while it fetches and parts while it loads", () => {
  const change = { id: "x", phase: "fetching", done: 2 ** 20, total: 2 ** 30 };
  assert.equal(phaseText(change, translate), "phase_fetching:x:1.0 MiB:1.0 GiB");
  assert.match(phaseText({ ...change, total: 0 }, translate), /^phase_asking/);
  assert.equal(
    phaseText({ ...change, phase: "loading", done: 3, total: 9 }, translate),
    "phase_loading:x:3:9",
  );
});

for (const [claim, value, text] of [
  ["before anything began it says nothing", { state: "idle" }, ""],
  [
    "what is to come is said by its own sentence",
    { state: "ready", say: "plan", looks: 3 },
    "plan:ready:plan:3",
  ],
  ["a state without a total has no counts", { state: "running" }, "state_running"],
  ["counts follow the state", { state: "done", total: 2 }, "state_done · batch_facts:done:2"],
  [
    "time that is left is said while there is some",
    { state: "running", total: 2, left: 5 },
    "state_running · batch_facts_left:running:2:5",
  ],
  [
    "what else came of it comes last",
    { state: "done", also: "saved" },
    "state_done · saved:done:saved",
  ],
])
  test(claim, () => assert.equal(progressText(value, "batch", translate), text));

test("a span lies on the timeline where the video shows it", () => {
  assert.deepEqual(spanStyle([1, 3], 4), { left: "25%", width: "50%" });
  assert.equal(playheadOffset(3, 4), "75%");
  assert.equal(playheadOffset(4.2, 4), "100%");
});

for (const [claim, value, text] of [
  ["before anything was said there is nothing to say of it", null, ""],
  [
    "a turn that is over has its tokens and seconds",
    { state: "done", notes: [], tokens: 12, seconds: 1.25, cut: 0 },
    "state_done · tokens:12 · 1.3 s",
  ],
  [
    "a turn that was cut says where",
    { state: "done", notes: [], tokens: 1, seconds: 0, cut: 16 },
    "state_done · tokens_one:1 · 0.0 s · say_cut_words:16",
  ],
  [
    "an error is an error",
    { state: "error", notes: ["Begin anew."], tokens: 0, seconds: 0, cut: 0 },
    "state_error: Begin anew.",
  ],
])
  test(claim, () =>
    assert.equal(
      chatStatus(/** @type {any} */ (value && { messages: [], ...value }), translate),
      text,
    ),
  );
