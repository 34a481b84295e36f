"""Frame run: one frame of a camera asked about, as the page draws the answer.

Nothing of it is written, logged or kept: the picture lies in memory alone and goes with the run,
and the model's caches are left to pictures that come again.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from PIL import Image

from gemma_vision.answers.answer import Answer, notice_json
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.request import Request
from gemma_vision.requests.tasks import Task
from gemma_vision.runtime.engine import Chunk, Engine, Prompt
from gemma_vision.web.api.live.frame_call import FrameCall
from gemma_vision.web.api.live.frame_line import FrameBusyError
from gemma_vision.web.jobs.job import EVERY, Deadline, model_lock
from gemma_vision.web.jobs.outlines import Outlines
from gemma_vision.web.jobs.partials import partial_value
from gemma_vision.web.jobs.viewer_value import note_of
from gemma_vision.web.server.picture_worker import open_picture, stopping
from postprocess.errors import UserError
from postprocess.instances import Instance
from postprocess.mask_formats import polygons

JSON = dict[str, Any]

SECONDS = 60.0  # of one frame; whoever waits longer for a moving picture wants a picture
PATIENCE = 3.0  # seconds that a frame waits for a share of the model
LOOK = 0.1  # seconds between two looks at whether anybody still wants it
SIDES = (384, 1024)  # pixels of a frame's longer side, at least and at most
USUAL_SIDE = 768  # where a model does not say what it looks at
TAKEN = "The model has other work to do; your camera goes on as soon as it can."
NEWER = "A newer frame took this one's place."


class FrameStopped(UserError):
    """Nobody waits for the frame any more."""

    CODE = "E_STOPPED"


class PassingEngine:
    """An engine that is told to keep nothing of the pictures it is shown."""

    def __init__(self, engine: Engine) -> None:
        self.name = engine.name
        self._engine = engine

    def ready(self) -> bool:
        """Whether the engine behind it is."""
        return self._engine.ready()

    def stream(self, prompts: Sequence[Prompt]) -> Iterator[list[Chunk | None]]:
        """As the engine's own."""
        return self._engine.stream([replace(prompt, is_passing=True) for prompt in prompts])


def passing(pipeline: Pipeline) -> Pipeline:
    """The pipeline as it is now, for pictures that do not come again."""
    own = copy.copy(pipeline)
    own.engine = PassingEngine(pipeline.engine)
    if own.mask_source is not None:
        own.mask_source = replace(own.mask_source, engine=PassingEngine(own.mask_source.engine))
    return own


class FrameRun:
    """One frame on its way; `stop` ends it from any thread."""

    def __init__(self, pipeline: Pipeline, call: FrameCall) -> None:
        self._pipeline = passing(pipeline)
        self._call = call
        self._outlines = Outlines()
        self._things: dict[int, tuple[Instance, JSON]] = {}
        self._began = time.monotonic()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End it at its next token. Does not wait."""
        self._stopped.set()

    def states(self) -> Iterator[JSON]:
        """What is to be drawn, a few times a second while it grows; the last has a "finish".

        Raises as opening pictures and requests do, FrameBusyError where it gets no share of the
        model, FrameStopped once it was stopped, Deadline. Closing this ends the work. It is made
        where it is asked for: a thread beside would cost a quick model a third of its time.
        """
        stopping.set(self._stopped)
        request = self._request(open_picture(self._call.picture))
        self._take_turn()
        try:
            with closing(self._pipeline.stream(request)) as answers:  # type: ignore[type-var]
                yield from self._told(answers)
        finally:
            model_lock.unshare()

    def _take_turn(self) -> None:
        until = time.monotonic() + PATIENCE
        while not model_lock.share(timeout=LOOK):
            self._check_wanted()
            if time.monotonic() > until:
                raise FrameBusyError(TAKEN)

    def _told(self, answers: Iterator[Answer]) -> Iterator[JSON]:
        told = time.monotonic()
        for answer in answers:
            self._check_wanted()
            if answer.finish or time.monotonic() - told > EVERY:
                yield self._state(answer)
                told = time.monotonic()

    def _check_wanted(self) -> None:
        if self._stopped.is_set():
            raise FrameStopped(NEWER)
        if self._seconds > SECONDS:
            raise Deadline(f"The frame took more than {SECONDS:.0f} seconds; ask for less.")

    @property
    def _seconds(self) -> float:
        """Since the frame came."""
        return time.monotonic() - self._began

    def _request(self, image: Image.Image) -> Request:
        asked = self._call.asked
        options = self._call.options(self._pipeline.family)
        return Request(image, asked.task, asked.text, **options)

    def _state(self, answer: Answer) -> JSON:
        """The JSON of a state: things in pixels of the frame, the record being written."""
        things = [self._thing(one) for one in answer.instances]
        return {
            "width": answer.size[0],
            "height": answer.size[1],
            "things": self._outlines.show(things, answer.size),
            "partial": partial_value(answer.partial, answer.size, answer.policy),
            "finish": answer.finish,
            "notes": list(dict.fromkeys(note_of(notice_json(one)) for one in answer.warnings)),
            "seconds": round(self._seconds, 4),
            "side": side_of(self._pipeline),
        }

    def _thing(self, instance: Instance) -> JSON:
        """Each is worked out once, however often a growing answer is shown."""
        known = self._things.get(id(instance))
        if known is None:  # the instance is kept too, so that its id stays its own
            has_masks = self._call.asked.task != Task.detect
            known = self._things[id(instance)] = (instance, thing_of(instance, has_masks=has_masks))
        return known[1]


def thing_of(instance: Instance, *, has_masks: bool) -> JSON:
    """An instance as `Outlines` takes it; run-lengths, which a page does not draw, are left out."""
    mask = instance.mask if has_masks else None
    return {
        "label": instance.label,
        "box": [round(float(edge), 1) for edge in instance.box],
        "point": instance.point and [round(float(edge), 1) for edge in instance.point],
        "score": None if instance.score is None else round(instance.score, 4),
        "polygons": None if mask is None else polygons(mask, instance.pixels),
    }


def side_of(pipeline: Pipeline) -> int:
    """How large a frame is of use to a checkpoint: pixels of its longer side."""
    low, high = SIDES
    return min(high, max(low, pipeline.card.get("side") or USUAL_SIDE))
