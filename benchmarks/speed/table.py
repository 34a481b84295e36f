"""Speed: tower, first token, decoding, records, prompts side by side, ours against transformers.

    python -m benchmarks speed [--model tiny | small | 3b | FOLDER] [--rounds 7] [--rows NAME,NAME]

`small` is a PaliGemma of 177 million random parameters in bfloat16 with the published vocabulary,
`3b` one of the published size (16 GB of memory; a round of it takes some twenty minutes); both are
written below --folder first. There, and wherever a model writes no records by itself, both
sides say a script: all products are computed, and their winner is replaced.

Both sides run in one process on one thread, in turns (ours, theirs, theirs, ours); figures are
medians of processor time, a ratio that of the rounds' ratios. A row counts only where both sides
wrote the same tokens, and a matrix product timed before and after says how steady the machine was.
`strict`, `exact` and the rows without a rival (`engine.rps`, `forwards`) say what they compare.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import Any

import torch

from benchmarks.latency import DRIFT, gemm_speed, interleave
from benchmarks.speed.sides import FREE_TOKENS, NUM_OBJECTS, Bench, Comparison
from benchmarks.speed.small_model import write_full_model, write_small_model
from gemma_vision.checkpoints.hub import find

BARS = {  # how many times as fast ours has to be: embedded checkpoint, small model, 3B
    "vision.encode": (1.3, 1.2, 1.1),
    "ttft.cached": (2.5, 1.8, 1.3),
    "decode.free": (2.2, 1.3, 1.1),
    "detect.5 strict": (2.6, 5.0, 2.2),
    "detect.5 exact": (2.2, 3.5, 2.0),
    "segment.5 strict": (3.0, 5.0, 1.7),
    "segment.5 exact": (2.4, 3.5, 1.6),
    "multi.8": (4.0, 5.0, 2.0),
    "engine.rps": (3.0, 4.0, 3.0),
}
WRITTEN = {"small": write_small_model, "3b": write_full_model}  # with random weights, in bfloat16


SIZES = ("tiny", *WRITTEN)  # in the order of the bars


def same(ours: Any, theirs: Any) -> bool:
    """Whether both sides came to the same."""
    if isinstance(ours, torch.Tensor):
        found = getattr(theirs, "pooler_output", theirs)
        found = found[0] if isinstance(found, (list, tuple)) else found
        close = 1e-3 if ours.dtype == torch.float32 else 0.1 * float(ours.abs().max())
        return float((ours - found.reshape(ours.shape)).abs().max()) < close
    return bool(ours == theirs)


def measure(bench: Bench, pair: Comparison, rounds: int) -> dict[str, Any]:
    """Medians of processor time in milliseconds, and the ratio."""
    before = bench.num_forwards
    ours = pair.ours()
    forwards = bench.num_forwards - before
    is_same = same(ours, pair.theirs())  # and both are warm
    times = interleave(pair.ours, pair.theirs, rounds)
    ratios = sorted(theirs.cpu / ours.cpu for ours, theirs in times)
    return {
        "row": pair.name,
        "ours_ms": round(1e3 * statistics.median(ours.cpu for ours, _ in times), 2),
        "theirs_ms": round(1e3 * statistics.median(theirs.cpu for _, theirs in times), 2),
        "ratio": round(statistics.median(ratios), 2),
        "lowest": round(ratios[0], 2),
        "highest": round(ratios[-1], 2),
        "tokens": pair.tokens,
        "forwards": forwards,
        "same": is_same,
    }


def free_row(first: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    """A token beyond the first: what the whole answer took, less what its beginning did."""
    ours, theirs = (whole[key] - first[key] for key in ("ours_ms", "theirs_ms"))
    per_token = {"ours_ms": ours / (FREE_TOKENS - 1), "theirs_ms": theirs / (FREE_TOKENS - 1)}
    return whole | {key: round(ms, 3) for key, ms in per_token.items()} | {
        "ratio": round(theirs / ours, 2), "lowest": None, "highest": None
    }  # fmt: skip


def run(options: argparse.Namespace) -> dict[str, Any]:
    """The whole report."""
    torch.set_num_threads(1)
    model, size = options.model, SIZES.index(options.model) if options.model in SIZES else 0
    folder = WRITTEN[model](options.folder / model) if model in WRITTEN else find(model)
    bench = Bench(folder, "bfloat16" if model in WRITTEN else options.dtype)
    before = gemm_speed()
    rows: list[dict[str, Any]] = []
    for pair in (*bench.pairs(), bench.streams()):
        if options.rows and pair.name.split(" ")[0] not in options.rows.split(","):
            continue
        row = measure(bench, pair, options.rounds)
        rows.append(free_row(rows[-1], row) if pair.name == "decode.free" and rows else row)
        row = rows[-1] = rows[-1] | {"bar": BARS[pair.name][size]}
        print(as_row(row), file=sys.stderr, flush=True)
    after = gemm_speed()
    speeds = [round(before, 1), round(after, 1)]
    steady = abs(after / before - 1) <= DRIFT
    report = {"model": options.model, "rounds": options.rounds, "gemm_gflops": speeds}
    return report | {"steady": steady, "rows": rows}


def as_row(row: dict[str, Any]) -> str:
    verdict = "met" if row["ratio"] >= row["bar"] and row["same"] else "missed"
    per_object = row["forwards"] / NUM_OBJECTS if ".5 " in row["row"] else ""
    return (
        f"| {row['row']} | {row['ours_ms']} | {row['theirs_ms']} | **{row['ratio']}** | "
        f"{row['lowest']} - {row['highest']} | {row['bar']}: {verdict} | {per_object} | "
        f"{'yes' if row['same'] else 'no'} |"
    )


def main() -> None:
    """Print the table, and write it as JSON where asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--model", default="tiny", help="tiny, small, 3b, a folder or a Hub id")
    parser.add_argument("--folder", type=Path, default=Path("build"))
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--rows", default="", help="only these, with commas between them")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    report = run(options)
    print(
        "| row | ours ms | theirs ms | times as fast | range | bar | forwards per object | same |"
    )
    print("|---|---|---|---|---|---|---|---|")
    print("\n".join(map(as_row, report["rows"])))
    steady = "steady" if report["steady"] else "busy"
    print("matrix product {} then {} GFLOP/s: ".format(*report["gemm_gflops"]) + steady)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
