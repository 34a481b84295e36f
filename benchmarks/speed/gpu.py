"""GPU: the rows of the speed benchmark on a CUDA machine, in under ten minutes.

    python -m benchmarks.speed.gpu [--model 3b | small | FOLDER] [--rounds 5] [--json FILE]

Needs this repository, torch, transformers and what the library itself imports; nothing is fetched.
`3b` is PaliGemma-3B at 224 pixels with random weights in bfloat16, written to --folder first. Both
sides run in one process, in turns, each waited for; figures are medians of time on the wall, and a
row counts only where both sides wrote the same tokens. `decode.free, static` has transformers keep
a static cache, with which it compiles. Rows for which no time is left say "not measured".

Without a GPU the recorded path is walked on the CPU over the embedded checkpoint, for equal tokens.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from benchmarks.latency import interleave
from benchmarks.speed.sides import FREE_TOKENS, NUM_OBJECTS, SIZE, Bench, Comparison, noise
from benchmarks.speed.small_model import write_full_model, write_small_model
from benchmarks.speed.table import same
from gemma_vision.checkpoints.hub import find
from gemma_vision.runtime.engine import Prompt
from gemma_vision.runtime.grammar import Grammar
from gemma_vision.runtime.local_engine import LocalEngine

SECONDS = 540.0  # after which no further row is begun
BARS = {
    "vision.encode": 2.0,
    "ttft.cached": 4.0,
    "decode.free": 5.0,
    "decode.free, static": 1.2,
    "detect.5 strict": 10.0,
    "detect.5 exact": 8.0,
    "segment.5 strict": 8.0,
    "segment.5 exact": 7.0,
    "multi.8": 10.0,
    "engine.rps": 10.0,
}
BOXES_BAR = 60.0  # a second
FLOOR_BAR = 1.4  # times what moving a token's weights takes
COPIED = 2**30  # bytes, to see how fast this memory is

Row = dict[str, Any]


def main() -> None:
    """Print the table, and write it as JSON where asked."""
    options = read_options()
    report = measure(options) if torch.cuda.is_available() else walk()
    print(as_table(report))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report, indent=1))


def measure(options: argparse.Namespace) -> Row:
    """The report of a machine with a GPU."""
    latest = time.monotonic() + options.seconds
    bench = Bench(folder_of(options), "bfloat16", "cuda")
    before = bandwidth()
    rows = {}
    for pair in (*bench.pairs(), static(bench), bench.streams()):
        rows[pair.name] = measured(pair, options.rounds, latest)
        print(as_line(rows[pair.name]), file=sys.stderr, flush=True)
    for name in ("decode.free", "decode.free, static"):
        rows[name] = beyond_the_first(rows["ttft.cached"], rows[name])
    return {
        "device": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "model": options.model,
        "rounds": options.rounds,
        "copied_gb_per_second": [round(before), round(bandwidth())],
        "rows": list(rows.values()),
        **derived(bench, rows, before),
    }


def measured(pair: Comparison, rounds: int, latest: float) -> Row:
    """One row: medians in milliseconds, or why there are none."""
    row: Row = {"row": pair.name, "bar": BARS[pair.name]}
    if time.monotonic() > latest:
        return row | {"not_measured": "no time was left"}
    try:
        is_same = same(pair.ours(), pair.theirs())  # and both are warm
        times = interleave(waited(pair.ours), waited(pair.theirs), rounds)
    except Exception as error:  # of a rival's compiler, or of memory that is too small
        return row | {"not_measured": f"{type(error).__name__}: {error}"[:200]}
    ratios = sorted(theirs.wall / ours.wall for ours, theirs in times)
    return row | {
        "ours_ms": round(1e3 * statistics.median(ours.wall for ours, _ in times), 3),
        "theirs_ms": round(1e3 * statistics.median(theirs.wall for _, theirs in times), 3),
        "ratio": round(statistics.median(ratios), 2),
        "lowest": round(ratios[0], 2),
        "highest": round(ratios[-1], 2),
        "same": is_same,
    }


def static(bench: Bench) -> Comparison:
    """Free decoding against transformers with a static cache."""
    text = "caption en"
    prompt = Prompt((bench.image,), text, FREE_TOKENS)
    return Comparison(
        "decode.free, static",
        lambda: bench.follow([prompt]),
        lambda: bench.generate([text], FREE_TOKENS, cache_implementation="static"),
        FREE_TOKENS,
    )


def beyond_the_first(first: Row, whole: Row) -> Row:
    """A token: what the whole answer took, less what its first one did."""
    if "ours_ms" not in first or "ours_ms" not in whole:
        return whole
    ours, theirs = (
        (whole[key] - first[key]) / (FREE_TOKENS - 1) for key in ("ours_ms", "theirs_ms")
    )
    figures = {"ours_ms": round(ours, 3), "theirs_ms": round(theirs, 3)}
    return whole | figures | {"ratio": round(theirs / ours, 2), "lowest": None, "highest": None}


def derived(bench: Bench, rows: dict[str, Row], copied: float) -> Row:
    """Boxes a second, and a token beside the time that moving its weights takes."""
    found: Row = {}
    if exact := rows["detect.5 exact"].get("ours_ms"):
        found["boxes_per_second"] = round(1e3 * NUM_OBJECTS / exact, 1)
        found["boxes_bar"] = BOXES_BAR
    if token := rows["decode.free"].get("ours_ms"):
        moved = sum(one.nbytes for one in bench.engine.checkpoint.model.text.parameters())
        found["token_times_floor"] = round(token / (1e3 * moved / (copied * 1e9)), 2)
        found["floor_bar"] = FLOOR_BAR
    return found


def walk() -> Row:
    """Without a GPU: the recorded path's tokens are those of the plain one; nothing is timed."""
    engine = LocalEngine.load("tiny", "cpu")
    recorded = LocalEngine(engine.checkpoint, replays=True)
    image = noise(SIZE)
    names, answers = ("cat", "dog"), []
    for task, mode in ((t, m) for t in ("detect", "segment") for m in (None, True, False)):
        grammar = None if mode is None else Grammar(names, task == "segment")
        prompt = Prompt((image,), f"{task} cat ; dog", 64, 0.0, 0, grammar, mode is not False)
        answers.append([tokens_of(one, prompt) for one in (engine, recorded)])
    is_same = all(plain == quick for plain, quick in answers)
    rows = [{"row": name, "bar": bar, "not_measured": "no GPU"} for name, bar in BARS.items()]
    return {"device": "cpu", "walked_tokens_are_the_same": is_same, "rows": rows}


def tokens_of(engine: LocalEngine, prompt: Prompt) -> list[int]:
    return [token for (chunk,) in engine.stream([prompt]) if chunk for token in chunk.token_ids]


def waited(work: Callable[[], object]) -> Callable[[], object]:
    """The same, until the GPU has done it."""

    def whole() -> object:
        result = work()
        torch.cuda.synchronize()
        return result

    return whole


def bandwidth() -> float:
    """GB/s that this memory is read and written with."""
    source = torch.empty(COPIED, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    target.copy_(source)
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(10):
        target.copy_(source)
    torch.cuda.synchronize()
    return 10 * 2 * COPIED / (time.perf_counter() - start) / 1e9


def folder_of(options: argparse.Namespace) -> Path:
    """The checkpoint's folder, written where it is one of ours."""
    if options.model == "3b":
        return write_full_model(options.folder / "3b")
    return (
        write_small_model(options.folder / "small")
        if options.model == "small"
        else find(options.model)
    )


def as_table(report: Row) -> str:
    """The report as Markdown."""
    head = [f"{name}: {value}" for name, value in report.items() if name != "rows"]
    lines = ["| row | ours ms | theirs ms | times as fast | range | bar | same |"]
    return "\n".join([*head, "", *lines, "|---|---|---|---|---|---|---|", *as_lines(report)])


def as_lines(report: Row) -> Iterator[str]:
    return map(as_line, report["rows"])


def as_line(row: Row) -> str:
    if "ratio" not in row:
        return f"| {row['row']} | not measured: {row['not_measured']} | | | | {row['bar']} | |"
    verdict = "met" if row["ratio"] >= row["bar"] and row["same"] else "missed"
    return (
        f"| {row['row']} | {row['ours_ms']} | {row['theirs_ms']} | **{row['ratio']}** | "
        f"{row['lowest']} - {row['highest']} | {row['bar']}: {verdict} | "
        f"{'yes' if row['same'] else 'no'} |"
    )


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.speed.gpu",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", default="3b", help="3b, small, a folder or a Hub id")
    parser.add_argument("--folder", type=Path, default=Path("build/gpu"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
