"""Questions: what is asked of one picture. This is the protocol.

`detect` lists the names present, in the order in which they first appear in the annotations, then
two absent ones. `segment` asks for each name that occurs exactly once. One absent name alone should
give an empty answer. A checkpoint that was taught to count is asked for the number of each name
present and of one absent name. Everything greedy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from gemma_vision.evaluate.dataset import Dataset, Scene, Thing, check_picture_size
from gemma_vision.images.opening import Picture, open_image
from gemma_vision.requests.interpretation.names import ParsedNames, split_names
from gemma_vision.requests.request import Request
from gemma_vision.requests.tasks import Task

if TYPE_CHECKING:
    from gemma_vision.pipeline import Pipeline

MAX_TOKENS = 512  # of a detect answer: 73 boxes
MAX_COUNT_TOKENS = 8
COUNT = "how many {name} are there?"


class QuestionKind(Enum):
    """What a question is about."""

    FIND = auto()  # every name at once
    ABSENT = auto()  # one name that is not there
    OUTLINE = auto()  # one thing, by its name
    COUNT = auto()  # how many of a name


@dataclass(frozen=True)
class Question:
    """A request, why it is made, and the thing or name it is about."""

    kind: QuestionKind
    request: Request
    thing: Thing | None = None
    count: int = 0  # the right answer


def questions(pipeline: Pipeline, dataset: Dataset, scene: Scene) -> Iterator[Question]:
    """Everything that is asked of one picture."""
    image = open_image(scene.path)
    check_picture_size(scene, image.size)
    absent = dataset.absent[scene.id]
    if named := (*scene.names, *absent):
        text = " ; ".join(named)
        yield Question(QuestionKind.FIND, ask_for(image, Task.detect, text, max_tokens=MAX_TOKENS))
    if absent:
        request = ask_for(image, Task.detect, absent[0], max_tokens=MAX_TOKENS)
        yield Question(QuestionKind.ABSENT, request)
    if Task.segment in pipeline.tasks:
        for thing in scene.outlined:
            yield Question(QuestionKind.OUTLINE, ask_for(image, Task.segment, thing.name), thing)
    if pipeline.card.get("counts") and Task.ask in pipeline.tasks:
        yield from countings(image, scene, (*scene.names, *absent[:1]))


def ask_for(image: Picture, task: Task, text: str, **options: Any) -> Request:
    """A request in the data set's own words, of whose answer everything counts."""
    reading = ParsedNames(split_names(text))
    return Request(image, task, text, reading=reading, drop_unasked=False, **options)


def countings(image: Picture, scene: Scene, names: tuple[str, ...]) -> Iterator[Question]:
    """How many there are of each name."""
    for name in names:
        text = COUNT.format(name=name)
        count = sum(thing.name == name for thing in scene.objects)
        request = Request(image, Task.ask, text, max_tokens=MAX_COUNT_TOKENS)
        yield Question(QuestionKind.COUNT, request, count=count)
