"""Wishes: what a picture is asked while learning, and the right answer.

The same wording as at inference. S a picture's side in the model, N patches of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from gemma_vision.finetune.image_set import Part, Shown
from gemma_vision.synthetic import prompts
from gemma_vision.synthetic.prompts import TargetObject
from postprocess.instances import crop
from postprocess.mask_decoder import MaskDecoder

MIX = (0.55, 0.35, 0.04, 0.06)  # detect, segment, caption, ask
MOST_ABSENT = 2  # names in a prompt that are not there
ALONE = 0.4  # how often a single name is to be detected
ABSENT_ALONE = 0.25  # how often such a name is not there
MOST_COUNTED = 4  # of a name that a caption or an answer can count


@dataclass(frozen=True)
class Wishes:
    """Draws wishes about pictures.

    names: those that may be asked for although they are not there. encoder: makes mask codes;
    without one nothing is outlined. has_words: captions and questions are asked too.
    """

    names: Sequence[str]
    encoder: MaskDecoder | None = None
    has_words: bool = False

    def draw(self, rng: Generator, shown: Shown) -> tuple[str, str]:
        """A prompt and its answer."""
        task = int(rng.choice(len(MIX), p=MIX))
        if task == 1 and self.encoder is not None:
            return self._segment(rng, shown)
        if task > 1 and self.has_words and is_countable(shown):
            ask = prompts.caption if task == 2 else prompts.ask
            return ask(rng, [seen(part, shown.size) for part in shown.parts], self.names)
        return self._detect(rng, shown)

    def _detect(self, rng: Generator, shown: Shown) -> tuple[str, str]:
        present, absent = names_in(shown), self._absent(shown)
        if rng.random() < ALONE:
            asked = one_name(rng, present, absent)
        else:
            asked = several_names(rng, present, absent)
        things = [seen(part, shown.size) for part in shown.parts if part.name in asked]
        return f"detect {' ; '.join(asked)}", prompts.locate_answer(things, asked, masked=False)

    def _segment(self, rng: Generator, shown: Shown) -> tuple[str, str]:
        bare = {part.name for part in shown.parts if part.mask is None}
        present = [name for name in names_in(shown) if name not in bare]
        absent = self._absent(shown)
        if not present and (bare or not absent):
            return self._detect(rng, shown)
        asked = one_name(rng, present, absent)
        parts = [part for part in shown.parts if part.name in asked]
        codes = self._codes(parts)
        things = [seen(part, shown.size, code) for part, code in zip(parts, codes, strict=True)]
        return f"segment {asked[0]}", prompts.locate_answer(things, asked, masked=True)

    def _absent(self, shown: Shown) -> list[str]:
        there = {part.name for part in shown.parts} | shown.unsure
        return [name for name in self.names if name not in there]

    def _codes(self, parts: Sequence[Part]) -> list[tuple[int, ...]]:
        assert self.encoder is not None, "only called where masks can be encoded"
        masks = [crop(part.mask, whole(part)) for part in parts if part.mask is not None]
        codes = self.encoder.encode(np.stack(masks)) if masks else np.empty((0, 16), int)
        return [tuple(row) for row in codes.tolist()]


def one_name(rng: Generator, present: Sequence[str], absent: Sequence[str]) -> list[str]:
    """One of the names: only by asking for them alone are they told apart."""
    is_absent = not present or (absent and rng.random() < ABSENT_ALONE)
    names = absent if is_absent else present
    return [names[int(rng.integers(len(names)))]]


def several_names(rng: Generator, present: Sequence[str], absent: Sequence[str]) -> list[str]:
    """Those that are there, and some that are not, in any order."""
    least = 0 if present else 1
    count = min(max(least, int(rng.integers(MOST_ABSENT + 1))), len(absent))
    picks = rng.choice(len(absent), count, replace=False).tolist() if count else []
    asked = [*present, *(absent[pick] for pick in picks)]
    assert asked, "pictures about which nothing can be asked are left out"
    return [asked[i] for i in rng.permutation(len(asked))]


def names_in(shown: Shown) -> list[str]:
    """Names whose every thing has a box, in the order of the annotations."""
    names = dict.fromkeys(part.name for part in shown.parts)
    return [name for name in names if name not in shown.unsure]


def is_countable(shown: Shown) -> bool:
    """Whether words can tell how many there are of everything."""
    counts = [sum(p.name == name for p in shown.parts) for name in names_in(shown)]
    return not shown.unsure and max(counts, default=0) <= MOST_COUNTED


def seen(part: Part, size: tuple[int, int], codes: tuple[int, ...] = ()) -> TargetObject:
    """A part as answers know it: y before x, in shares of the (width, height)."""
    (x0, y0, x1, y1), (width, height) = part.box, size
    return TargetObject(part.name, (y0 / height, x0 / width, y1 / height, x1 / width), codes)


def whole(part: Part) -> tuple[int, int, int, int]:
    """A box in whole pixels, at least one wide and high."""
    x0, y0, x1, y1 = (round(edge) for edge in part.box)
    return x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)


def patch_kinds(shown: Shown, names: Sequence[str], grid: int) -> np.ndarray:
    """Which name is at the middle of each patch -> (N,) int64, C where there is none.

    A thing without a mask is where the ellipse in its box is; the later of two lies on top.
    """
    width, height = shown.size
    x, y = (np.arange(grid) + 0.5) * width / grid, (np.arange(grid) + 0.5) * height / grid
    kinds = np.full((grid, grid), len(names), np.int64)
    for part in shown.parts:
        if part.mask is not None:
            inside = part.mask[y.astype(int)[:, None], x.astype(int)]
        else:
            x0, y0, x1, y1 = part.box
            across = (2 * x - x0 - x1) / max(x1 - x0, 1e-6)
            inside = across**2 + ((2 * y - y0 - y1) / max(y1 - y0, 1e-6))[:, None] ** 2 < 1
        kinds[inside] = names.index(part.name)
    return kinds.ravel()
