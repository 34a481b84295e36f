"""Latency: seconds from a picture to parsed boxes, ours against transformers in one run.

    python -m benchmarks.latency [--model tiny] [--rounds 7] [--threads 2] [--json FILE]

Rounds are interleaved (ours, theirs, theirs, ours), medians are reported, and a row counts only
if both sides gave the same text and the same boxes. A matrix product is timed before and after:
where its speed changed by more than 15 %, the machine was busy and the table says so; processor
time (`cpu`) suffers less from that than time on the wall, above all with one thread. Ours runs a
small checkpoint on one thread whatever `--threads` says; on a busy machine that alone makes it many
times as fast as two threads that wait for each other, so the fair figure there is `--threads 1`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image

from benchmarks.rivals import Ours, RunResult, Theirs
from gemma_vision.checkpoints.hub import find
from gemma_vision.requests.options import MAX_NAMES
from gemma_vision.requests.request import Request
from gemma_vision.requests.tasks import Task
from gemma_vision.synthetic.compositor import compose
from gemma_vision.synthetic.poses import sample_scene

SEED = 900_001  # a scene that training never saw
BAR = 1.3
DRIFT = 0.15
WORKLOADS = {  # name: task, words, whether the picture was seen before
    "detect": (Task.detect, "{names}", False),
    "detect, second time": (Task.detect, "{names}", True),
    "segment": (Task.segment, "{first}", False),
    "caption": (Task.caption, "", False),
    "chat": (Task.chat, "what is it?", False),
    "chat, next question": (Task.chat, "what is it?", True),
}


class Times(NamedTuple):
    """Seconds on the wall, and seconds of all threads on their processors."""

    wall: float
    cpu: float


def main() -> None:
    """Print the table, and write it as JSON where asked."""
    options = read_options()
    torch.set_num_threads(options.threads)
    folder = find(options.model)
    ours = Ours(folder, options.dtype)
    theirs = Theirs(folder, options.dtype, ours.pipeline)
    before = gemm_speed()
    rows = list(measure(ours, theirs, options))
    after = gemm_speed()
    report = {
        "model": options.model,
        "threads": options.threads,
        "rounds": options.rounds,
        "pictures": options.pictures,
        "gemm_gflops": [round(before, 1), round(after, 1)],
        "steady": abs(after / before - 1) <= DRIFT,
        "rows": rows,
    }
    print(as_table(report))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))


def measure(ours: Ours, theirs: Theirs, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """One row per workload: seconds per picture on both sides, and their ratio."""
    for name, (task, words, is_cached) in WORKLOADS.items():
        if task not in ours.pipeline.tasks:
            continue
        requests = list(make_requests(task, words, options))
        ours.forget = not is_cached
        pairs = [(ours.answer(request), theirs.answer(request)) for request in requests]  # warm-up
        times = interleave(
            partial(answer_all, ours, requests),
            partial(answer_all, theirs, requests),
            options.rounds,
        )
        yield row_of(name, pairs, times)


def answer_all(side: Ours | Theirs, requests: Sequence[Request]) -> list[RunResult]:
    """What a side makes of every request."""
    return [side.answer(request) for request in requests]


def row_of(
    name: str, pairs: list[tuple[RunResult, RunResult]], times: list[tuple[Times, Times]]
) -> dict[str, Any]:
    """Medians in milliseconds per picture; a ratio is the median of the rounds' ratios."""
    count = len(pairs)
    ratios = sorted(theirs.wall / ours.wall for ours, theirs in times)
    return {
        "workload": name,
        "tokens": round(sum(ours.num_tokens for ours, _ in pairs) / count, 1),
        "ours_ms": round(1e3 * statistics.median(ours.wall for ours, _ in times) / count, 2),
        "theirs_ms": round(1e3 * statistics.median(theirs.wall for _, theirs in times) / count, 2),
        "ratio": round(statistics.median(ratios), 2),
        "lowest": round(ratios[0], 2),
        "highest": round(ratios[-1], 2),
        "cpu_ratio": round(statistics.median(theirs.cpu / ours.cpu for ours, theirs in times), 2),
        "same": sum(ours == theirs for ours, theirs in pairs),
        "of": count,
    }


def interleave(
    ours: Callable[[], object], theirs: Callable[[], object], rounds: int
) -> list[tuple[Times, Times]]:
    """Seconds of both sides, round by round, the order turned each time."""
    times = []
    for index in range(rounds):
        order = (ours, theirs) if index % 2 == 0 else (theirs, ours)
        first, second = (clock(side) for side in order)
        times.append((first, second) if index % 2 == 0 else (second, first))
    return times


def clock(work: Callable[[], object]) -> Times:
    """How long it takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Times(time.perf_counter() - wall, time.process_time() - cpu)


def make_requests(task: Task, words: str, options: argparse.Namespace) -> Iterator[Request]:
    """Scenes that training never saw, asked for what is in them."""
    from gemma_vision.synthetic.atlas import load_atlas

    rng = np.random.default_rng(SEED)
    for _ in range(options.pictures):
        picture = compose(sample_scene(rng, size=(640, 480)))
        names = [load_atlas().names[thing.name] for thing in picture.things] or ["cat"]
        text = words.format(names=" ; ".join(names), first=names[0])
        image = Image.fromarray(picture.pixels)
        yield Request(
            image,
            task,
            text,
            max_tokens=options.tokens,
            drop_unasked=False,
            names_per_prompt=MAX_NAMES,  # one prompt, as transformers gets it
        )


def gemm_speed(side: int = 512, seconds: float = 0.5) -> float:
    """GFLOP/s of a float32 matrix product now."""
    a = torch.randn(side, side)
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        a @ a
        count += 1
    return 2e-9 * side**3 * count / (time.perf_counter() - start)


def as_table(report: dict[str, Any]) -> str:
    """The report as Markdown."""
    speeds = "{} then {} GFLOP/s".format(*report["gemm_gflops"])
    lines = [
        f"{report['model']} against transformers, CPU, {report['threads']} threads, "
        f"{report['pictures']} pictures, {report['rounds']} rounds;",
        f"matrix product {speeds}{'' if report['steady'] else ' (busy: see --threads 1)'}",
        "",
        "| picture to boxes | tokens | ours ms | theirs ms | times as fast | range | cpu | same |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in report["rows"]:
        lines.append(
            f"| {row['workload']} | {row['tokens']} | {row['ours_ms']} | {row['theirs_ms']} | "
            f"**{row['ratio']}** | {row['lowest']} - {row['highest']} | "
            f"{row['cpu_ratio']} | {row['same']}/{row['of']} |"
        )
    good = [row for row in report["rows"] if row["same"] == row["of"] and row["ratio"] >= BAR]
    lines.append(f"\n{len(good)} of {len(report['rows'])} rows are equal and reach {BAR}.")
    return "\n".join(lines)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="tiny", help="tiny, a folder or a Hub id")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pictures", type=int, default=4)
    parser.add_argument("--tokens", type=int, default=64, help="at most this many in an answer")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
