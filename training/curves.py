"""Curves: the figures of a run drawn on one page, `curves.html` in its folder.

`python -m training.curves runs/gpu` draws it anew at any time. The page is whole in itself: inline
SVG, no script, nothing from elsewhere.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

from gemma_vision.optimization.atomic_write import write_atomically
from gemma_vision.optimization.metrics_log import MetricsLog, Row
from training.charts import draw_chart
from training.evaluation import REPORT
from training.presets import PARTS, STAGES

PAGE = "curves.html"
NOTE = (
    "Curves are of what was being trained on, errors in shares of the picture's side; the exported "
    "checkpoint is asked about scenes that it never saw."
)
NOT_FIGURES = {"stage", "seconds", "steps"}
TITLES = {  # what a reader calls a figure
    "loss": "Loss",
    "iou": "IoU of masks",
    "codes": "Codes in use",
    "accuracy": "Patches right",
    "box_error": "Box error",
    "cells": "Loss of sub-masks",
    "code_nll": "Mask codes, nats",
    "word_nll": "Words, nats",
    "place_error": "Position error",
    "align": "Patch to name",
}
STYLE = """
:root { color-scheme: light dark; --ink: #1b1f27; --soft: #5d6675; --rule: #e3e6eb; --line: #2563d9;
  --ground: #fff; --card: #f7f8fa }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebf0; --soft: #9aa4b5; --rule: #2c323c;
  --line: #82aaff; --ground: #12151a; --card: #1a1e25 } }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground);
  max-width: 72rem; margin: 0 auto; padding: 2rem 1rem 4rem }
h1 { font-size: 1.6rem; margin: 0 0 .25rem }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .75rem; display: flex; flex-wrap: wrap; gap: 0 .75rem;
  align-items: baseline }
h2 small, p { font-size: .9rem; font-weight: 400; color: var(--soft); margin: 0 }
.charts { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)) }
figure { margin: 0; padding: .75rem .75rem .5rem; background: var(--card); border-radius: .6rem }
figcaption { display: flex; justify-content: space-between; gap: .5rem; font-size: .9rem }
figcaption b { font-variant-numeric: tabular-nums }
svg { width: 100%; height: auto; display: block; margin-top: .25rem }
svg text { font-size: 12px; fill: var(--soft); font-variant-numeric: tabular-nums }
.rule { stroke: var(--rule) }
.curve { fill: none; stroke: var(--line); stroke-width: 2; stroke-linejoin: round }
.end { fill: var(--line) } .spot { fill: transparent } .spot:hover { fill: var(--line) }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: .6rem 1rem;
  margin: 0 }
dt { font-size: .85rem; color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere;
  font-variant-numeric: tabular-nums }
"""


def write_curves(folder: Path, title: str) -> Path:
    """Draw what a run has written so far -> the page's path."""
    logs = {part: MetricsLog(folder / f"{part}.jsonl").rows() for part in parts()}
    sections = [section(part, rows) for part, rows in logs.items() if rows]
    report = folder / REPORT
    if report.exists():
        sections.insert(0, figures(json.loads(report.read_text(encoding="utf-8"))))
    body = "\n".join(sections or ["<p>Nothing has been measured yet.</p>"])
    head = f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}'
    write_atomically(
        folder / PAGE,
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">{head}</style>\n'
        f"<title>{escape(title)}</title></head><body><h1>{escape(title)}</h1>\n"
        f"<p>{NOTE}</p>\n{body}\n</body></html>\n",
    )
    return folder / PAGE


def parts() -> Iterator[str]:
    """Every go that writes figures, in the order of training."""
    for stage in STAGES:
        yield from PARTS.get(stage, (stage,))


def section(part: str, rows: Sequence[Row]) -> str:
    """One stage: a heading and a chart for each of its figures."""
    last = rows[-1]
    summary = f"{last['steps']:,} steps, {minutes(last['seconds'])}"
    keys = dict.fromkeys(key for row in rows for key in row if key not in NOT_FIGURES)
    drawn = []
    for key in keys:
        points = [(row["steps"], row[key]) for row in rows if key in row]
        drawn.append(draw_chart(TITLES.get(key, key), points))
    heading = f"<h2>Stage {escape(part)} <small>{summary}</small></h2>"
    return f'<section>{heading}<div class="charts">{"".join(drawn)}</div></section>'


def figures(report: dict[str, Any]) -> str:
    """What the exported checkpoint reaches, as a list of terms."""
    rows = "".join(
        f"<div><dt>{escape(key.replace('_', ' '))}</dt><dd>{value_of(value)}</dd></div>"
        for key, value in report.items()
    )
    return f"<section><h2>The exported checkpoint</h2><dl>{rows}</dl></section>"


def value_of(value: Any) -> str:
    """A value as a reader wants it: three places, a dash for none."""
    if value is None:
        return "\u2013"
    return f"{value:.3f}" if isinstance(value, float) else escape(str(value))


def minutes(seconds: float) -> str:
    """How long something took.   84  ->  1.4 minutes"""
    return f"{seconds:.1f} seconds" if seconds < 60 else f"{seconds / 60:.1f} minutes"


def main(words: Sequence[str] | None = None) -> int:
    """Draw the page and print its path -> exit code 0, or 2 with one sentence."""
    parser = argparse.ArgumentParser(
        prog="python -m training.curves", description="Draw the figures of a run on one page."
    )
    parser.add_argument("folder", type=Path, help="of the run, for example runs/gpu")
    folder = parser.parse_args(words).folder
    if not folder.is_dir():
        print(f"There is no folder {folder}; name that of a run.", file=sys.stderr)
        return 2
    try:
        print(write_curves(folder, f"Training: {folder.resolve().name}"))
    except OSError as error:
        print(f"{folder / PAGE} cannot be written ({error.strerror}).", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
