"""Prompts: what a scene can be asked, and what the answer should be.

The same wording the families write at inference. Knows nothing of tensors or tokens' ids.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from numpy.random import Generator

from gemma_vision.requests.interpretation.english import plural, with_article
from gemma_vision.requests.interpretation.questions import FORMS
from postprocess.tokens import NUM_BINS, Mention, write

ALONE = 0.5  # how often detect is asked for one name
# How often a name that is not there is asked for: a model that meets silence often is silent before
# things that it sees, and what has no name comes in pictures of nothing besides.
ABSENT_ALONE, ABSENT = 0.03, 0.4
COUNTS = ["no", "one", "two", "three", "four"]


@dataclass(frozen=True)
class TargetObject:
    """A thing of a scene: box y0 x0 y1 x1 in 0..1, the 16 codes of its mask."""

    name: str
    box: tuple[float, float, float, float]
    codes: tuple[int, ...]

    def mention(self, *, masked: bool) -> Mention:
        """What an answer says of it, with its codes or without."""
        y0, x0, y1, x1 = (round(edge * (NUM_BINS - 1)) for edge in self.box)
        return Mention(self.name, (y0, x0, y1, x1), self.codes if masked else (), start=0, end=0)

    @property
    def middle(self) -> float:
        """From the left, in 0..1."""
        return (self.box[1] + self.box[3]) / 2


def locate_answer(things: Sequence[TargetObject], wanted: Sequence[str], *, masked: bool) -> str:
    """Names in the order of the prompt, things of one name from left to right."""
    found = [
        thing.mention(masked=masked)
        for name in wanted
        for thing in sorted(things, key=lambda thing: thing.box[1])
        if thing.name == name
    ]
    return write(found)


def detect(rng: Generator, things: Sequence[TargetObject], names: Sequence[str]) -> tuple[str, str]:
    """One name, or most that are there and one that may not be, in any order -> prompt, answer.

    Now and then names of nothing alone.
    """
    present = list(dict.fromkeys(thing.name for thing in things))
    if rng.random() < ALONE:
        is_absent = not present or rng.random() < ABSENT_ALONE
        name = str(rng.choice(_missing(things, names) if is_absent else present))
        return f"detect {name}", locate_answer(things, [name], masked=False)
    num_missing = int(rng.random() < ABSENT)
    if not present or rng.random() < 0.08:
        present, num_missing = [], 1 + int(rng.integers(3))
    elif len(present) > 1 and rng.random() < 0.2:
        present = [name for name in present if rng.random() < 0.7] or present[:1]
    wanted = shuffle_names(rng, present, _missing(things, names), num_missing)
    return f"detect {' ; '.join(wanted)}", locate_answer(things, wanted, masked=False)


def shuffle_names(
    rng: Generator, present: Sequence[str], missing: Sequence[str], num_missing: int
) -> list[str]:
    """Names that are there among so many that are not.

    In any order: a model that only ever saw the names of what is there come first stops looking
    at the first name that is not.
    """
    extra = rng.choice(missing, min(num_missing, len(missing)), replace=False)
    return [str(name) for name in rng.permutation([*present, *extra])]


def _missing(things: Sequence[TargetObject], names: Sequence[str]) -> list[str]:
    present = {thing.name for thing in things}
    return [name for name in names if name not in present]


def segment(
    rng: Generator, things: Sequence[TargetObject], names: Sequence[str]
) -> tuple[str, str]:
    """One or all of the names that are there, one that may not be -> prompt, answer."""
    present = list(dict.fromkeys(thing.name for thing in things))
    chosen = [str(name) for name in rng.permutation(present)[: None if rng.random() < 0.45 else 1]]
    num_missing = int(rng.random() < ABSENT / 2)
    if not chosen or rng.random() < 0.06:
        chosen, num_missing = [], 1
    wanted = shuffle_names(rng, chosen, _missing(things, names), num_missing)
    return f"segment {' ; '.join(wanted)}", locate_answer(things, wanted, masked=True)


def caption(
    rng: Generator, things: Sequence[TargetObject], names: Sequence[str]
) -> tuple[str, str]:
    """Everything that has a name, from left to right: "two cats, a dog and an apple"."""
    ordered = sorted(things, key=lambda thing: thing.box[1])
    kinds = list(dict.fromkeys(thing.name for thing in ordered))
    parts = [_counted(name, sum(t.name == name for t in things)) for name in kinds]
    listed = " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))
    return "caption en", listed or "nothing with a name"


def _counted(name: str, count: int) -> str:
    return with_article(name) if count == 1 else f"{COUNTS[count]} {plural(name)}"


def ask(rng: Generator, things: Sequence[TargetObject], names: Sequence[str]) -> tuple[str, str]:
    """A question with a short answer: how many, is there, which side, which size."""
    present = sorted({thing.name for thing in things})
    some = str(rng.choice(present if present and rng.random() < 0.6 else list(names)))
    kind = int(rng.choice(4, p=(0.5, 0.25, 0.15, 0.1)))
    if kind == 0:
        words = plural(some) if rng.random() < 0.7 else some
        question = FORMS["how_many"].write(words)
        answer = str(sum(thing.name == some for thing in things))
    elif kind == 1 or len(things) < 2:
        question = FORMS["is_there"].write(with_article(some))
        answer = "yes" if some in present else "no"
    elif kind == 2:
        question, answer = _beside(rng, things)
    else:
        question = FORMS["biggest"].write()
        answer = max(things, key=lambda t: (t.box[2] - t.box[0]) * (t.box[3] - t.box[1])).name
    mark = str(rng.choice(["?", " ?", ""], p=(0.6, 0.2, 0.2)))
    return f"answer en {question}{mark}", answer


def _beside(rng: Generator, things: Sequence[TargetObject]) -> tuple[str, str]:
    pivot = things[int(rng.integers(len(things)))]
    if rng.random() < 0.5:
        near = [t for t in things if t.middle < pivot.middle]
        side, chosen = "left", max(near, key=lambda t: t.middle, default=None)
    else:
        near = [t for t in things if t.middle > pivot.middle]
        side, chosen = "right", min(near, key=lambda t: t.middle, default=None)
    question = FORMS["beside"].write(pivot.name, side)
    return question, chosen.name if chosen else "nothing"


TASKS = (detect, segment, caption, ask)


def sample_prompt(
    rng: Generator, things: Sequence[TargetObject], names: Sequence[str], mix: Sequence[float]
) -> tuple[str, str]:
    """A prompt and its answer; `mix` is how often each of detect, segment, caption, ask comes."""
    task = TASKS[int(rng.choice(len(TASKS), p=mix))]
    return task(rng, things, names)
