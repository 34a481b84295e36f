"""Phrase report: a page with the score table of a RefCOCO folder and the worst phrases drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gemma_vision.evaluate.page import WORST, figure, table, write_page
from gemma_vision.evaluate.phrases import Phrase
from postprocess.instances import locate
from postprocess.referring import ReferringScore
from postprocess.tokens import parse

if TYPE_CHECKING:
    from postprocess.instances import CodesToMask


@dataclass(frozen=True)
class Judged:
    """A phrase, the text that answered it, and what that is worth."""

    phrase: Phrase
    text: str
    score: ReferringScore


def write_phrase_report(
    judged: Sequence[Judged],
    decoder: CodesToMask,
    scores: dict[str, Any],
    title: str,
    folder: Path,
) -> Path:
    """Write `index.html` and the pictures it shows into a folder, and give the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    body = [
        table(("score", "value"), scores.items()),
        "<h2>Worst phrases</h2><p>The truth on the left, the answer on the right.</p>",
        *worst_phrases(judged, decoder, folder),
    ]
    return write_page(title, body, folder)


def worst_phrases(judged: Sequence[Judged], decoder: CodesToMask, folder: Path) -> Iterator[str]:
    """The phrases whose masks are furthest from the truth; of equal ones the worse box first."""
    worst = sorted(judged, key=lambda one: (one.score.mask_iou, one.score.box_iou))[:WORST]
    for number, one in enumerate(worst, 1):
        scene, thing = one.phrase.scene, one.phrase.thing
        truth = [thing.instance(thing.mask(scene.size))]
        found = locate(parse(one.text), scene.size, decoder, "bigvision")
        worth = "not a valid answer" if one.score.invalid else f"IoU {one.score.mask_iou:.2f}"
        said = f"{scene.path.name}: {one.phrase.text!r}, {worth}"
        yield figure(scene.path, truth, found, said, folder / f"phrase-{number}")
