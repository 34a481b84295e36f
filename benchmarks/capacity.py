"""Capacity: how many replicas, how much memory and how long a wait, for so many requests a second.

    python -m benchmarks capacity [--json FILE] [--measure]

A replica is simulated step by step as `runtime/scheduler.py` works: waiting prompts are read a few
at once, then every row gets a token. Requests come at random (Poisson). A cluster whose requests
are spread by what they show is as many such replicas, each with its share of them. What a step
costs is given, or with --measure taken from the embedded checkpoint on a core of this machine, in
processor time, and held against it. `docs/scale.md` has the table, and the assumptions.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

REQUESTS = 4000  # of a simulation, after as many as fill the rows
SPARE = 0.8  # the share of what a replica can do that it is given
DAY = 86_400.0  # seconds
RATES = (10.0, 1_000.0, 100_000.0)  # requests a second
PICTURES = 1_000_000_000  # of the job
NAMES = "detect cat ; dog ; apple ; banana ; bicycle ; ball ; fish ; butterfly ; car ; tree"


@dataclass(frozen=True)
class Costs:
    """What a replica takes, in seconds and bytes.

    read: for each prompt, tower included; read_once: for each time that some are read; step: for
    each step, and row for each row in it. tokens: of an answer, on average. at_once and max_rows:
    as of the scheduler. weights and row_bytes: of memory.
    """

    name: str
    read: float
    read_once: float
    step: float
    row: float
    tokens: float
    weights: float
    row_bytes: float
    at_once: int = 8
    max_rows: int = 32


# Of the embedded checkpoint as measured on a core of a shared machine. Of PaliGemma 2 3B at 448
# pixels in bfloat16 by arithmetic, for a card of 300 TFLOP/s and 3 TB/s as they are reached: 6.2
# TFLOP to read 1,040 tokens and the picture, 5.6 GB of weights a step, 117 MB of keys and values.
TINY = Costs("tiny, one core", 0.0084, 0.003, 0.0019, 0.0001, 15.0, 0.4e9, 2e6)
LARGE = Costs("paligemma2-3b 448, one GPU", 0.021, 0.002, 0.0022, 0.00004, 30.0, 6.0e9, 0.117e9)


@dataclass(frozen=True)
class Outcome:
    """What a simulated replica came to: seconds of waiting and of whole answers, the share of the
    time in which it worked, the mean number of rows of a step, answers a second.
    """

    wait_mean: float
    wait_p50: float
    wait_p99: float
    answer_p50: float
    answer_p99: float
    busy: float
    rows: float
    rate: float


def simulate(costs: Costs, rate: float, *, count: int = REQUESTS, seed: int = 0) -> Outcome:
    """One replica under `rate` requests a second. inf: there is always somebody waiting."""
    draw = random.Random(seed)
    arrivals = list(arriving(draw, rate, 2 * count))
    seen = follow(costs, arrivals, lengths_of(draw, costs, len(arrivals)))
    kept = range(count // 2, len(arrivals) - count // 2)  # without filling and emptying
    waits = sorted(seen.began[n] - arrivals[n] for n in kept)
    answers = sorted(seen.ended[n] - arrivals[n] for n in kept)
    return Outcome(
        sum(waits) / len(waits),
        *(share_of(waits, 0.5), share_of(waits, 0.99)),
        *(share_of(answers, 0.5), share_of(answers, 0.99)),
        busy=seen.busy / seen.now,
        rows=seen.rows_of_steps / max(seen.steps, 1),
        rate=len(arrivals) / seen.now,
    )


@dataclass
class Course:
    """What became of some requests: when each was read and when it had its answer, when the last
    one had, seconds of work, steps and the rows in them.
    """

    began: list[float]
    ended: list[float]
    now: float = 0.0
    busy: float = 0.0
    steps: int = 0
    rows_of_steps: int = 0


def follow(costs: Costs, arrivals: Sequence[float], lengths: Sequence[int]) -> Course:
    """One replica, asked at these moments, in order, for answers of so many tokens."""
    course = Course([0.0] * len(arrivals), [0.0] * len(arrivals))
    came = done = 0
    rows: list[list[int]] = []  # each its request and how many tokens are left
    while done < len(arrivals):
        if not rows and arrivals[came] > course.now:
            course.now = arrivals[came]
        places = min(costs.at_once, costs.max_rows - len(rows))
        fresh = 0
        while fresh < places and came < len(arrivals) and arrivals[came] <= course.now:
            course.began[came] = course.now
            rows.append([came, lengths[came]])
            came, fresh = came + 1, fresh + 1
        spent = (costs.read_once + costs.read * fresh) * bool(fresh)
        if not fresh or len(rows) > fresh:
            spent += costs.step + costs.row * len(rows)
            course.steps, course.rows_of_steps = course.steps + 1, course.rows_of_steps + len(rows)
            for row in rows:
                row[1] -= 1
        course.now, course.busy = course.now + spent, course.busy + spent
        for index, _ in (row for row in rows if row[1] <= 0):
            course.ended[index], done = course.now, done + 1
        rows = [row for row in rows if row[1] > 0]
    return course


def lengths_of(draw: random.Random, costs: Costs, count: int) -> list[int]:
    """How many tokens so many answers have."""
    return [max(1, round(draw.expovariate(1 / costs.tokens))) for _ in range(count)]


def arriving(draw: random.Random, rate: float, count: int) -> Iterator[float]:
    """The moments at which requests come."""
    now = 0.0
    for _ in range(count):
        now += 0.0 if math.isinf(rate) else draw.expovariate(rate)
        yield now


def share_of(ordered: Sequence[float], share: float) -> float:
    """The value that this share of some ordered ones does not pass."""
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def replicas_for(costs: Costs, rate: float) -> dict[str, Any]:
    """How many replicas take so many requests a second, and what they come to."""
    most = simulate(costs, math.inf).rate
    count = max(1, math.ceil(rate / (most * SPARE)))
    seen = simulate(costs, rate / count)
    return {
        "requests_per_second": rate,
        "replicas": count,
        "memory_gb": round(count * memory_of(costs) / 1e9, 1),
        **{name: round(value, 4) for name, value in asdict(seen).items()},
    }


def memory_of(costs: Costs) -> float:
    """Bytes of a replica whose rows are all taken."""
    return costs.weights + costs.max_rows * costs.row_bytes


def job_of(costs: Costs, pictures: int) -> dict[str, float]:
    """Replica-days of a job, in which somebody is always waiting."""
    rate = simulate(costs, math.inf).rate
    return {"pictures": pictures, "rate": round(rate, 1), "replica_days": pictures / rate / DAY}


def measure() -> tuple[Costs, float]:
    """What the embedded checkpoint costs on a core of this machine, in processor time, and how many
    answers a second it gives where 32 of them grow side by side.
    """
    import gemma_vision
    from gemma_vision.images.opening import open_image
    from gemma_vision.runtime.engine import Prompt
    from gemma_vision.synthetic.scene_dataset import write_dataset

    engine: Any = gemma_vision.load("tiny").engine
    with tempfile.TemporaryDirectory() as folder:
        write_dataset(900_900, 64 + 11, Path(folder), side=224, names=16)
        pictures = [open_image(path) for path in sorted(Path(folder).glob("*.png"))]
    prompts = [Prompt((picture,), NAMES, max_tokens=64) for picture in pictures]
    run(engine, prompts[:1])
    one = run(engine, prompts[1:2])
    eight = run(engine, prompts[2:10])
    alone = run(engine, prompts[10:11])
    many = run(engine, prompts[11:])
    read = max((eight.first - one.first) / 7, 1e-6)
    step = alone.rest / alone.steps
    row = max((eight.rest / eight.steps - step) / 7, 0.0)
    once = max(one.first - read, 0.0)
    tokens = many.tokens / (len(prompts) - 11)
    rate = (len(prompts) - 11) / (many.first + many.rest)
    return replace(TINY, read=read, read_once=once, step=step, row=row, tokens=tokens), rate


@dataclass(frozen=True)
class Run:
    """Processor seconds until the first words and of the rest, the steps of those, and tokens."""

    first: float
    rest: float
    steps: int
    tokens: int


def run(engine: Any, prompts: Sequence[Any]) -> Run:
    """Some prompts side by side."""
    began, first, steps, tokens = time.process_time(), 0.0, 0, 0
    for chunks in engine.stream(prompts):
        first = first or time.process_time() - began
        steps += 1
        tokens += sum(len(chunk.token_ids) for chunk in chunks if chunk is not None)
    return Run(first, time.process_time() - began - first, max(steps - 1, 1), tokens)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="write it here too")
    parser.add_argument("--measure", action="store_true", help="measure the embedded checkpoint")
    options = parser.parse_args()
    table, small = [], TINY
    if options.measure:
        small, rate = measure()
        told = simulate(small, math.inf).rate
        print(f"{rate:.1f} answers a second of processor time, {told:.1f} simulated")
    for costs in (small, LARGE):
        rows = [replicas_for(costs, rate) for rate in RATES]
        table.append({"costs": asdict(costs), "rows": rows, "job": job_of(costs, PICTURES)})
        print(costs.name, {name: value for name, value in asdict(costs).items() if name != "name"})
        for row in rows:
            print("  ", row)
        print("  ", table[-1]["job"])
    if options.json:
        Path(options.json).write_text(json.dumps(table, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
