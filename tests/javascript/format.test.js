import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatBytes,
  formatCount,
  formatProbability,
  formatScore,
  formatSeconds,
  isolateDirection,
  keepSeparators,
  progressPercent,
  shortName,
  tokenKind,
  visibleText,
} from "../../gemma_vision/web/components/lib/format.js";

const MIB = 2 ** 20;

/** @type {[string, (value: any) => unknown, [any, unknown][]][]} */
const TABLE = [
  [
    "a count is in millions below a billion",
    formatCount,
    [
      [3_032_242_416, "3.0 B"],
      [12_480_000, "12.5 M"],
      [1e9, "1.0 B"],
    ],
  ],
  [
    "bytes are in binary units and never vanish",
    formatBytes,
    [
      [0, "0.1 MiB"],
      [5.25 * MIB, "5.3 MiB"],
      [500 * MIB, "500 MiB"],
      [6 * 1024 * MIB, "6.0 GiB"],
    ],
  ],
  [
    "a name is the last part of an id or a path",
    shortName,
    [
      ["google/paligemma-3b-mix-448", "paligemma-3b-mix-448"],
      ["C:\\models\\mine\\", "mine"],
      ["tiny", "tiny"],
      ["/", "/"],
    ],
  ],
  [
    "progress is whole percents of a known total",
    progressPercent,
    [
      [{ done: 1, total: 3 }, 33],
      [{ done: 5, total: 3 }, 100],
      [{ done: 5, total: 0 }, null],
    ],
  ],
  [
    "a score is whole percents or nothing",
    formatScore,
    [
      [0.934, "93%"],
      [0, "0%"],
      [null, ""],
      [undefined, ""],
    ],
  ],
  [
    "a probability has a decimal unless it is none or all",
    formatProbability,
    [
      [0.1234, "12.3 %"],
      [0.9996, "100 %"],
      [0.0004, "0 %"],
      [1, "100 %"],
    ],
  ],
  [
    "seconds have a decimal below ten",
    formatSeconds,
    [
      [1.26, "1.3 s"],
      [12.4, "12 s"],
    ],
  ],
  [
    "blanks of a token are seen",
    visibleText,
    [
      ["", "∅"],
      [" cat", "·cat"],
      ["a b", "a b"],
      ["\n", "⏎"],
      ["  ", "··"],
    ],
  ],
  [
    "a token is a position, a code or a word",
    tokenKind,
    [
      ["<loc0123>", "loc"],
      ["<seg004>", "seg"],
      ["<location>", ""],
      [" <loc0123>", ""],
    ],
  ],
  [
    "a label's direction stays within it",
    isolateDirection,
    [
      ["\u05d0", "\u2068\u05d0\u2069"],
      ["", ""],
    ],
  ],
  [
    "no line of names begins with a separator",
    keepSeparators,
    [
      ["cat", "cat"],
      ["a cat ; dog ; car", "a cat\u00a0; dog\u00a0; car"],
    ],
  ],
];

for (const [claim, format, rows] of TABLE)
  test(claim, () => {
    for (const [value, text] of rows) assert.equal(format(value), text);
  });
