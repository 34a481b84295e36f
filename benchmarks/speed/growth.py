"""Growth: what answers with more objects take, and more prompts on one picture.

    python -m benchmarks growth [--model tiny] [--rounds 3]

Answers are scripted, so that a model says as many objects as it is told: all products are computed,
and their winner is replaced. Figures are medians of processor time on one thread; what one object,
or one prompt, takes should not grow with how many there are.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch

from benchmarks.speed.sides import Bench
from gemma_vision.checkpoints.hub import find
from gemma_vision.runtime.engine import Prompt
from gemma_vision.runtime.grammar import Grammar
from postprocess.instances import locate
from postprocess.overlay import draw
from postprocess.tokens import parse

OBJECTS = (1, 10, 100, 300, 1000)
PROMPTS = (1, 2, 4, 8, 16, 32, 64)
PROMPT_TOKENS = 8  # of each prompt's answer


def milliseconds(work: Callable[[], Any], rounds: int) -> float:
    """The median of processor time, the first round left out."""
    work()
    taken = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return 1e3 * statistics.median(taken)


def object_rows(bench: Bench, rounds: int) -> Iterator[str]:
    """Decoding so many boxes, then reading and drawing them."""
    tokenizer = bench.engine.checkpoint.tokenizer
    for count in OBJECTS:
        script = bench.script(has_masks=False, count=count)
        plain = bench.scripted(script)
        limit = len(script) + 1
        grammar = Grammar(("cat",), has_masks=False)
        prompt = Prompt((bench.image,), "detect cat", limit, 0.0, 0, grammar, is_verified=True)
        try:
            (said,) = bench.follow([prompt])
            decoded = milliseconds(partial(bench.follow, [prompt]), rounds)
        finally:
            bench.engine._scheduler.batch = plain
        if said[: len(script)] != script:
            raise SystemExit(f"{count} objects were not said as they were to be.")
        text = tokenizer.decode(script)
        read = milliseconds(partial(parse, text), rounds)
        things = locate(parse(text), bench.image.size)
        drawn = milliseconds(partial(draw, bench.image, things), rounds)
        figures = (decoded / count, len(script), decoded / len(script), read / count, drawn / count)
        yield "| {} | {:.2f} | {} | {:.2f} | {:.3f} | {:.2f} |".format(count, *figures)


def prompt_rows(bench: Bench, rounds: int) -> Iterator[str]:
    """So many prompts on one picture, its look included."""
    for count in PROMPTS:
        prompts = [Prompt((bench.image,), f"caption {n}", PROMPT_TOKENS) for n in range(count)]

        def ask(prompts: list[Prompt] = prompts) -> None:
            bench.engine.cache.clear()
            bench.follow(prompts)

        taken = milliseconds(ask, rounds)
        yield f"| {count} | {taken:.1f} | {taken / count:.2f} |"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--model", default="tiny", help="tiny, a folder or a Hub id")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    bench = Bench(find(options.model), options.dtype)
    print(
        "| objects | decoding one, ms | tokens | a token, ms | reading one, ms | drawing one, ms |"
    )
    print("|---|---|---|---|---|---|")
    for row in object_rows(bench, options.rounds):
        print(row, flush=True)
    print("\n| prompts | all, ms | one, ms |\n|---|---|---|")
    for row in prompt_rows(bench, options.rounds):
        print(row, flush=True)


if __name__ == "__main__":
    main()
