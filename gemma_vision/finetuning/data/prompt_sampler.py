"""Prompt sampler: what an image is asked while learning, and the right answer.

The same wording as at inference.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from gemma_vision.finetuning.data.image_set import ImageObject, LabelledImage
from gemma_vision.finetuning.data.typical_shapes import TypicalShapes, whole
from gemma_vision.synthetic import prompts
from gemma_vision.synthetic.prompts import TargetObject
from postprocess.instances import crop
from postprocess.mask_decoder import MaskDecoder

MIX = (0.48, 0.42, 0.04, 0.06)  # detect, segment, caption, ask
MAX_ABSENT = 2  # names in a prompt that are not there
ALONE = 0.75  # how often a single name is to be detected
ABSENT_ALONE = 0.25  # how often such a name is not there
LINES = 0.5  # how often an image is asked one of its own lines
MAX_COUNTED = 4  # of a name that a caption or an answer can count


@dataclass(frozen=True)
class PromptSampler:
    """Draws prompts about images, with their answers.

    names: those that may be asked for although they are not there. encoder: makes mask codes;
    without one nothing is outlined. has_words: captions and questions are asked too. shapes: stand
    for the masks of their names.
    """

    names: Sequence[str]
    encoder: MaskDecoder | None = None
    has_words: bool = False
    shapes: TypicalShapes | None = None

    def draw(self, rng: Generator, image: LabelledImage) -> tuple[str, str]:
        """A prompt and its answer."""
        if image.lines and (rng.random() < LINES or not self.can_name(image)):
            return image.lines[int(rng.integers(len(image.lines)))]
        task = int(rng.choice(len(MIX), p=MIX))
        if task == 1 and self.encoder is not None:
            return self._segment(rng, image)
        if task > 1 and self.has_words and is_countable(image):
            ask = prompts.caption if task == 2 else prompts.ask
            return ask(rng, [to_target(thing, image.size) for thing in image.objects], self.names)
        return self._detect(rng, image)

    def can_name(self, image: LabelledImage) -> bool:
        """Whether it is known of any name where its things are, or that there are none."""
        return bool(names_in(image) or self._absent(image))

    def _detect(self, rng: Generator, image: LabelledImage) -> tuple[str, str]:
        present, absent = names_in(image), self._absent(image)
        if rng.random() < ALONE:
            names = one_name(rng, present, absent)
        else:
            names = several_names(rng, present, absent)
        things = [to_target(thing, image.size) for thing in image.objects if thing.name in names]
        return asked_for("detect", names), spell(things, names, masked=False)

    def _segment(self, rng: Generator, image: LabelledImage) -> tuple[str, str]:
        bare = {thing.name for thing in image.objects if thing.mask is None}
        present = [name for name in names_in(image) if name not in bare]
        absent = self._absent(image)
        if not present and (bare or not absent):
            return self._detect(rng, image)
        names = one_name(rng, present, absent)
        objects = [thing for thing in image.objects if thing.name in names]
        codes = self._codes(objects)
        things = [
            to_target(thing, image.size, code) for thing, code in zip(objects, codes, strict=True)
        ]
        return asked_for("segment", names), spell(things, names, masked=True)

    def _absent(self, image: LabelledImage) -> list[str]:
        present = {thing.name for thing in image.objects} | image.unsure
        return [name for name in self.names if name not in present]

    def _codes(self, objects: Sequence[ImageObject]) -> list[tuple[int, ...]]:
        assert self.encoder is not None, "only called where masks can be encoded"
        masks = [crop(thing.mask, whole(thing.box)) for thing in objects if thing.mask is not None]
        if not masks:
            return []
        codes = self.encoder.encode(np.stack(masks))
        if self.shapes is not None:
            names = [thing.name for thing in objects if thing.mask is not None]
            codes = self.shapes.codes(names, codes)
        return [tuple(row) for row in codes.tolist()]


def asked_for(verb: str, names: Sequence[str]) -> str:
    """A prompt in small letters, as it is written when somebody asks."""
    return f"{verb} {' ; '.join(names)}".lower()


def spell(things: Sequence[TargetObject], names: Sequence[str], *, masked: bool) -> str:
    """The answer, its labels in small letters like the prompt's."""
    return prompts.locate_answer(things, names, masked=masked).lower()


def one_name(rng: Generator, present: Sequence[str], absent: Sequence[str]) -> list[str]:
    """One of the names: only by asking for them alone are they told apart."""
    is_absent = not present or (absent and rng.random() < ABSENT_ALONE)
    names = absent if is_absent else present
    return [names[int(rng.integers(len(names)))]]


def several_names(rng: Generator, present: Sequence[str], absent: Sequence[str]) -> list[str]:
    """Those that are there, and some that are not, in any order."""
    least = 0 if present else 1
    count = min(max(least, int(rng.integers(MAX_ABSENT + 1))), len(absent))
    indices = rng.choice(len(absent), count, replace=False).tolist() if count else []
    names = [*present, *(absent[index] for index in indices)]
    assert names, "pictures about which nothing can be asked are left out"
    return [names[i] for i in rng.permutation(len(names))]


def names_in(image: LabelledImage) -> list[str]:
    """Names whose every thing has a box, in the order of the annotations."""
    names = dict.fromkeys(thing.name for thing in image.objects)
    return [name for name in names if name not in image.unsure]


def is_countable(image: LabelledImage) -> bool:
    """Whether words can tell how many there are of everything."""
    counts = [sum(p.name == name for p in image.objects) for name in names_in(image)]
    return not image.unsure and max(counts, default=0) <= MAX_COUNTED


def to_target(
    thing: ImageObject, size: tuple[int, int], codes: tuple[int, ...] = ()
) -> TargetObject:
    """A thing as answers know it: y before x, in shares of the (width, height)."""
    (x0, y0, x1, y1), (width, height) = thing.box, size
    return TargetObject(thing.name, (y0 / height, x0 / width, y1 / height, x1 / width), codes)
