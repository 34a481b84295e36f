"""Drawing: milliseconds from mask codes to a drawn picture, ours against others in one run.

    python -m benchmarks drawing [--masks 10] [--rounds 15] [--threads 1] [--json FILE]

Rounds are interleaved, each in an order of its own; times are medians and a ratio is the median of
the rounds' ratios, of processor time, which suffers less from a busy machine than time on the wall.

| row | from | what is drawn |
|---|---|---|
| paste and draw | decoded masks | masks, boxes and labels that were drawn before |
| masks alone | decoded masks | masks, and our edges |
| new labels | decoded masks | the same with labels that nobody has drawn before |
| whole | codes | masks, boxes and labels, after decoding |

supervision takes part where it is installed (`pip install ".[bench]"`); `compact` has it keep masks
as run-lengths, which costs a conversion and saves time on large pictures.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from PIL import Image

from benchmarks.artists import Artist, Ready, artists, supervision_version
from benchmarks.latency import Times, clock, gemm_speed
from gemma_vision.checkpoints.mask_decoder_files import open_decoder
from postprocess import Mention
from postprocess.instances import CodesToMask
from postprocess.tokens import NUM_BINS

SEED = 4
SIZES = {"1 MP": (1024, 768), "12 MP": (4000, 3000)}  # a picture of the web, one of a phone
BOX = (0.35, 0.30)  # height and width of every box, of the picture's
NAMES = ("cat", "dog", "car", "apple", "banana", "bicycle", "ball", "fish", "tree", "house")
RIVAL = "supervision"

JSON = dict[str, Any]


class Stretch(NamedTuple):
    """A part of the way, and the bars (1 MP, 12 MP): how many times as fast as supervision."""

    name: str
    is_decoding: bool = False
    masks_only: bool = False
    new_labels: bool = False
    bars: tuple[float | None, float | None] = (None, None)


STRETCHES = (
    Stretch("paste and draw", bars=(4.0, 4.0)),
    Stretch("masks alone", masks_only=True),
    Stretch("new labels", new_labels=True),
    Stretch("whole", is_decoding=True, bars=(1.8, 4.0)),
)


def main() -> None:
    """Print the table, and write it as JSON where asked."""
    options = read_options()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    before = gemm_speed()
    rows = list(measure(options.masks, options.rounds))
    report = {
        "masks": options.masks,
        "rounds": options.rounds,
        "threads": options.threads,
        "supervision": supervision_version(),
        "gemm_gflops": [round(before, 1), round(gemm_speed(), 1)],
        "rows": rows,
    }
    print(as_table(report))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))


def measure(num_masks: int, rounds: int) -> Iterator[JSON]:
    """A row for each size and stretch: milliseconds of everyone, and our ratio to each."""
    decoder = open_decoder("embedded")
    assert decoder is not None
    codes = decoder.encode(ellipses(num_masks)).tolist()
    ready = Ready(decoder.decode(codes, logits=True))
    for index, (name, size) in enumerate(SIZES.items()):
        image = noise(size)
        for stretch in STRETCHES:
            source = decoder if stretch.is_decoding else ready
            work = drawing_of(image, codes, stretch, source)
            row = {"size": name, "row": stretch.name, "bar": stretch.bars[index]}
            yield row | compare(artists(), work, rounds)


def drawing_of(
    image: Image.Image, codes: Sequence[Sequence[int]], stretch: Stretch, decoder: CodesToMask
) -> Callable[[Artist, int], object]:
    """What an artist does in a round of this number."""

    known = things(codes, "")

    def work(artist: Artist, number: int) -> object:
        mentions = things(codes, f" {number}") if stretch.new_labels else known
        return artist(image, mentions, decoder, masks_only=stretch.masks_only)

    return work


def compare(ways: dict[str, Artist], work: Callable[[Artist, int], object], rounds: int) -> JSON:
    """Medians on the wall, and how many times our processor time each of the others takes."""
    times: dict[str, list[Times]] = {name: [] for name in ways}
    rng = np.random.default_rng(SEED)
    for number in range(rounds + 1):
        for name in rng.permutation(list(ways)):  # nobody always follows the hungriest one
            spent = clock(partial(work, ways[name], number))
            times[name] += [spent] if number else []  # the first round warms up
    walls = {name: statistics.median(time.wall for time in spent) for name, spent in times.items()}
    return {
        "ms": {name: round(1e3 * wall, 1) for name, wall in walls.items()},
        "ratio": {name: ratio(spent, times["ours"]) for name, spent in times.items()},
    }


def ratio(theirs: Sequence[Times], ours: Sequence[Times]) -> float:
    """The median of the rounds' ratios."""
    ratios = (their.cpu / our.cpu for their, our in zip(theirs, ours, strict=True))
    return round(statistics.median(ratios), 2)


def things(codes: Sequence[Sequence[int]], suffix: str) -> list[Mention]:
    """A mention for each mask, its place drawn with the seed."""
    rng = np.random.default_rng(SEED)
    mentions = []
    for number, row in enumerate(codes):
        y0, x0 = rng.uniform(0, 1 - np.array(BOX))
        edges = (y0, x0, y0 + BOX[0], x0 + BOX[1])
        top, left, bottom, right = (int(edge * (NUM_BINS - 1)) for edge in edges)
        label = NAMES[number % len(NAMES)] + suffix
        mentions.append(Mention(label, (top, left, bottom, right), tuple(row)))
    return mentions


def ellipses(count: int) -> np.ndarray:
    """(K, 64, 64) bool: what most masks are like, something round that fills its box."""
    rng = np.random.default_rng(SEED)
    y, x = np.mgrid[:64, :64] / 31.5 - 1
    return np.stack([(x / a) ** 2 + (y / b) ** 2 < 1 for a, b in rng.uniform(0.7, 1, (count, 2))])


def noise(size: tuple[int, int]) -> Image.Image:
    """A picture of this (width, height)."""
    rng = np.random.default_rng(SEED)
    return Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), np.uint8))


def as_table(report: JSON) -> str:
    """The report as Markdown: milliseconds, and in brackets how many times ours."""
    names = list(report["rows"][0]["ms"])
    version = report["supervision"] or "not installed"
    lines = [
        f"{report['masks']} masks, CPU, {report['threads']} threads, {report['rounds']} rounds;",
        "supervision {}; matrix product {} then {} GFLOP/s".format(version, *report["gemm_gflops"]),
        "",
        f"| picture | from masks to picture | {' | '.join(names)} | bar |",
        "|---|---|" + "---|" * len(names) + "---|",
    ]
    for row in report["rows"]:
        cells = [f"{row['ms'][name]} ({row['ratio'][name]})" for name in names]
        lines.append(f"| {row['size']} | {row['row']} | {' | '.join(cells)} | {verdict(row)} |")
    return "\n".join(lines)


def verdict(row: JSON) -> str:
    """The bar against supervision, and whether it is met."""
    if row["bar"] is None or RIVAL not in row["ratio"]:
        return "-" if row["bar"] is None else f"{row['bar']}: supervision is not installed"
    return f"{row['bar']}: {'met' if row['ratio'][RIVAL] >= row['bar'] else 'missed'}"


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m benchmarks drawing",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--masks", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
