"""Prediction run: the tasks of one call, a batch at a time, each with its prediction."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gemma_vision.errors import describe
from gemma_vision.labelling.label_names import LabelNames, label_names
from gemma_vision.pipeline import BATCH, Pipeline
from gemma_vision.requests.interpretation.names import names_of, read_names
from gemma_vision.requests.request import Request
from gemma_vision.requests.tasks import Task
from gemma_vision.web.api.label_studio.label_config import (
    Control,
    LabelConfig,
    LabelConfigError,
    read_config,
)
from gemma_vision.web.api.label_studio.task_pictures import StudioFiles
from gemma_vision.web.api.label_studio.task_results import JSON, prediction, results_of
from gemma_vision.web.server.picture_worker import open_picture
from postprocess.datasets.label_studio import BOX, BRUSH, OUTLINE, POINT
from postprocess.errors import UserError

if TYPE_CHECKING:
    from PIL.Image import Image

READERS = 4  # pictures that are fetched side by side
MAX_TASKS = 10_000


class CallError(UserError):
    """A call that is none of this API; the message is one sentence."""

    CODE = "E_CALL"


@dataclass(frozen=True)
class PredictCall:
    """What Label Studio asks. labels: those that a person has chosen in the page, of an
    interactive call; none where all are wanted.
    """

    tasks: tuple[Mapping[str, Any], ...]
    config: LabelConfig
    labels: tuple[str, ...] = ()


def read_call(body: bytes) -> PredictCall:
    """A body as a call; CallError or LabelConfigError for whatever is none."""
    call = read_object(body)
    tasks = call.get("tasks")
    if not isinstance(tasks, list) or not 0 < len(tasks) <= MAX_TASKS:
        raise CallError(f"tasks has to be a list of 1 to {MAX_TASKS} tasks.")
    if not all(isinstance(one, dict) and isinstance(one.get("data"), dict) for one in tasks):
        raise CallError("Every task has to be an object with its data.")
    config = call.get("label_config")
    if not isinstance(config, str):
        raise CallError("label_config has to be the labelling interface.")
    params = call.get("params")
    context = params.get("context") if isinstance(params, dict) else None
    return PredictCall(tuple(tasks), read_config(config), chosen_labels(context))


def read_object(body: bytes) -> dict[str, Any]:
    """A body as a JSON object."""
    try:
        call = json.loads(body)
    except (ValueError, RecursionError):
        raise CallError("The body is no JSON; send a JSON object in UTF-8.") from None
    if not isinstance(call, dict):
        raise CallError("The body has to be a JSON object.")
    return call


def chosen_labels(context: Any) -> tuple[str, ...]:
    """The labels of what somebody has drawn, for which an interactive call asks."""
    drawn = context.get("result") if isinstance(context, dict) else None
    values = [
        one["value"]
        for one in (drawn if isinstance(drawn, list) else [])
        if isinstance(one, dict) and isinstance(one.get("value"), dict)
    ]
    labels = [label for value in values for key in value for label in listed(value, key)]
    return tuple(dict.fromkeys(labels))


def listed(value: Mapping[str, Any], key: str) -> list[str]:
    """The labels under a key such as "rectanglelabels"."""
    found = value[key] if key.endswith("labels") else None
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


class PredictionRun:
    """A call carried out by a pipeline. Raises UserError for what cannot work at all."""

    def __init__(self, pipeline: Pipeline, files: StudioFiles, call: PredictCall) -> None:
        self._pipeline, self._files, self._call = pipeline, files, call
        self.errors: list[str] = []
        self._views = [
            self._view(image, call.config.of(image))
            for image in call.config.images
            if call.config.of(image)
        ]

    def predictions(self) -> Iterator[list[JSON]]:
        """The predictions of the tasks, more and more of them; all of them at the end.

        A task whose picture cannot be had has an empty one; UserError where none could be had.
        """
        done: list[JSON] = []
        tasks, failed = self._call.tasks, 0
        with ThreadPoolExecutor(READERS) as readers:
            for start in range(0, len(tasks), BATCH):
                batch = tasks[start : start + BATCH]
                results: list[list[JSON]] = [[] for _ in batch]
                for view in self._views:
                    opened = list(readers.map(view.open, [self._files] * len(batch), batch))
                    failed += self._note(opened)
                    view.predict(self._pipeline, opened, results)
                done += [prediction(one, self._pipeline.name) for one in results]
                yield done
        if failed == len(tasks) * len(self._views):
            raise UserError(self.errors[0], "E_IMAGE_MISSING")

    def _note(self, opened: Sequence[Image | UserError]) -> int:
        """Remember why pictures could not be had; how many."""
        errors = [one for one in opened if isinstance(one, UserError)]
        self.errors += [describe(error)[1] for error in errors]
        return len(errors)

    def _view(self, image: str, controls: tuple[Control, ...]) -> ImageView:
        """One picture of every task, as the checkpoint can be asked about it."""
        task = self._task({one.kind for one in controls})
        known = names_of(self._pipeline.card)
        asked = [(one, label_names(one.labels, known).only(self._call.labels)) for one in controls]
        names = dict.fromkeys(name for _, one in asked for name in one.names)
        if not names:
            words = [word for one in controls for words in one.labels.values() for word in words]
            read_names(" ; ".join(words), known)
            message = "None of the labels that were chosen is one that the model is asked for."
            raise LabelConfigError(message)
        return ImageView(self._call.config.images[image], asked, tuple(names), task)

    def _task(self, kinds: set[str]) -> Task:
        """What finds things of these kinds; LabelConfigError where the checkpoint has nothing."""
        can = self._pipeline.tasks
        if kinds & {BRUSH, OUTLINE} and Task.segment in can:
            return Task.segment
        if BOX in kinds and Task.detect in can:
            return Task.detect
        if POINT in kinds and Task.point in can:
            return Task.point
        message = f"{self._pipeline.name} finds nothing for {', '.join(sorted(kinds))}."
        raise LabelConfigError(message)


@dataclass(frozen=True)
class ImageView:
    """A picture of each task. key: where its data says which. controls: each with the names that
    its labels are asked for by. names: all of those. task: what is asked.
    """

    key: str
    controls: Sequence[tuple[Control, LabelNames]]
    names: tuple[str, ...]
    task: Task

    def open(self, files: StudioFiles, task: Mapping[str, Any]) -> Image | UserError:
        """A task's picture, or why it cannot be had."""
        try:
            return open_picture(files.fetch(task["data"].get(self.key), task.get("id")))
        except UserError as error:
            return error

    def predict(
        self, pipeline: Pipeline, opened: Sequence[Image | UserError], results: list[list[JSON]]
    ) -> None:
        """Add what is found in the pictures to the results of their tasks."""
        there = [(n, one) for n, one in enumerate(opened) if not isinstance(one, UserError)]
        text = " ; ".join(self.names)
        answers = pipeline.batch([Request(image, self.task, text) for _, image in there])
        for (number, _), answer in zip(there, answers, strict=True):
            results[number] += results_of(answer, self.controls)
