import assert from "node:assert/strict";
import { test } from "node:test";
import {
  choosePicture,
  isPicture,
  typedFile,
} from "../../gemma_vision/web/components/upload_note_files.js";

const SUFFIXES = [".png", ".heic", ".tif", ".tiff"];
const picture = { name: "a.png", type: "image/png" };
const words = { name: "notes.txt", type: "text/plain" };
const folder = { name: "holiday", type: "" };

for (const [claim, file, isOne] of [
  ["a file of a picture's type is one", picture, true],
  ["words are none", words, false],
  ["a folder is none", folder, false],
  ["a phone's picture without a type is one", { name: "IMG_1.HEIC", type: "" }, true],
  ["a name does not outdo a type", { name: "a.png", type: "application/pdf" }, false],
])
  test(claim, () => assert.equal(isPicture(file, SUFFIXES), isOne));

for (const [claim, files, file, note] of [
  ["one picture needs no words", [picture], picture, null],
  ["nothing needs none", [], null, null],
  [
    "of several files the first picture is taken, and it is said",
    [words, picture],
    picture,
    { key: "one_of_many", values: { name: "a.png", n: 2 } },
  ],
  [
    "what is no picture is said by its name",
    [folder],
    null,
    { key: "not_a_picture", values: { name: "holiday" } },
  ],
])
  test(claim, () => assert.deepEqual(choosePicture(files, SUFFIXES), { file, note }));

test("a picture without a type gets one by its name", () => {
  const given = new File(["x"], "IMG_1.HEIC");
  assert.equal(typedFile(given, SUFFIXES).type, "image/heic");
  assert.equal(typedFile(given, SUFFIXES).name, "IMG_1.HEIC");
  const typed = new File(["x"], "a.png", { type: "image/png" });
  assert.equal(typedFile(typed, SUFFIXES), typed);
});
