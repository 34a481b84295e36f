"""Talking: conversations about pictures, one for each visitor. Knows the pipeline, no layout.

What was said is kept here and not taken from the page: a client could write anything into it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL.Image import Image

from gemma_vision.answers.answer import Answer
from gemma_vision.images.opening import open_image
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.request import CONTROL_TOKEN, MAX_TEXT, Request, Turn
from gemma_vision.requests.tasks import Task
from gemma_vision.requests.validation import TaskError
from gemma_vision.web.components.crops import wants_crops
from gemma_vision.web.jobs.job import StreamRun, VisitorRuns
from gemma_vision.web.jobs.viewer_value import JSON, file_entry, preview_file
from gemma_vision.web.server.uploads import resolve_upload

MAX_TALKS = 32  # conversations kept; the one that was silent longest is forgotten first
MAX_TURNS = 24  # of one conversation; more do not fit into the model's attention


@dataclass
class Talk:
    """What was said so far. `turns` alternate, the user first.

    `has_crops` holds for all turns: each of them puts every earlier picture before the model again,
    in one request that has one `pan_and_scan`. Another value on the way would change the pictures
    that were answered about already, and what the engine remembers of them would not fit any more.
    """

    turns: list[Turn] = field(default_factory=list)
    has_crops: bool = False

    def messages(self) -> list[JSON]:
        """The conversation as the page shows it: each picture and each text a message."""
        return [message for turn in self.turns for message in shown(turn)]


class Talks:
    """Visitors' conversations with one checkpoint."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._runs: VisitorRuns[Answer, tuple[Talk, Turn]] = VisitorRuns()
        self._talks: OrderedDict[str, Talk] = OrderedDict()
        self._lock = threading.Lock()

    def say(
        self, visitor: str, message: Mapping[str, Any] | None, limit: int, crops: bool = False
    ) -> Iterator[list[JSON]]:
        """The conversation again and again while the model's next turn grows.

        message: what the page's field holds, {"text", "files"}. crops: look at crops of long
        pictures too, where the checkpoint can; the first turn decides that for the others. A turn
        that cannot be spoken raises and leaves the conversation as it was.
        """
        talk = self._talk(visitor)
        turn = read_turn(message)
        if len(talk.turns) >= MAX_TURNS:
            words = f"This conversation has {MAX_TURNS} turns, which is the limit; begin a new one."
            raise TaskError(words, "E_TURNS")
        if not talk.turns:
            talk.has_crops = bool(crops)
        wish = Request(
            turn.images,
            Task.chat,
            turn.text,
            max_tokens=limit,
            turns=tuple(talk.turns),
            pan_and_scan=wants_crops(self._pipeline, talk.has_crops),
        )
        before = [*talk.messages(), *shown(turn)]
        yield before
        run = StreamRun(lambda: self._pipeline.stream(wish), (talk, turn))
        for answer in self._runs.follow(visitor, run):
            yield [*before, *spoken(answer)]
        yield keep(talk, turn, run.latest)

    def stop(self, visitor: str) -> list[JSON] | None:
        """End the model's turn within a token and keep what it said; None where it was silent."""
        run = self._runs.end(visitor)
        return None if run is None else keep(*run.about, run.latest)

    def has_crops(self, visitor: str) -> bool | None:
        """Whether the visitor's conversation looks at crops; None before its first turn."""
        with self._lock:
            talk = self._talks.get(visitor)
        return talk.has_crops if talk and talk.turns else None

    def forget(self, visitor: str) -> None:
        """Begin anew, or let a visitor go."""
        self._runs.take(visitor)
        with self._lock:
            self._talks.pop(visitor, None)

    def _talk(self, visitor: str) -> Talk:
        with self._lock:
            talk = self._talks.pop(visitor, None) or Talk()
            self._talks[visitor] = talk
            while len(self._talks) > MAX_TALKS:
                self._talks.popitem(last=False)
        return talk


def read_turn(message: Mapping[str, Any] | None) -> Turn:
    """The visitor's turn, with its pictures opened."""
    held = message if isinstance(message, Mapping) else {}
    images = [open_image(resolve_upload(file)) for file in held.get("files") or ()]
    return Turn("user", held.get("text") or "", tuple(images))


def keep(talk: Talk, turn: Turn, answer: Answer | None) -> list[JSON]:
    """Add both turns to the conversation; a turn that got no word in return is taken back."""
    text = speakable(answer.text) if answer else ""
    if not text:
        return [*talk.messages(), *shown(turn), *spoken(answer)]
    talk.turns += [turn, Turn("model", text)]
    return talk.messages()


def speakable(text: str) -> str:
    """What the model said, so that it can be put before it again: no marks, for those command."""
    return CONTROL_TOKEN.sub("", text).strip()[:MAX_TEXT]


def spoken(answer: Answer | None) -> list[JSON]:
    """The model's turn as far as it is spoken."""
    text = answer.text.strip() if answer else ""
    return [{"role": "assistant", "text": text or "\u2026"}]


def shown(turn: Turn) -> Sequence[JSON]:
    """A turn as messages of the page: pictures without metadata, words as words."""
    role = "assistant" if turn.role == "model" else "user"
    pictures = [image for image in turn.images if isinstance(image, Image)]
    files = [{"role": role, "file": file_entry(preview_file(image))} for image in pictures]
    return [*files, {"role": role, "text": turn.text}]
