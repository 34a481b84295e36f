"""Compare run: one picture, two requests or two checkpoints, and in what the answers differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gemma_vision.answers.answer import Answer
from gemma_vision.images.opening import open_image
from gemma_vision.registry.loading import models, variant_from_registry
from gemma_vision.registry.model_cache import ModelCache
from gemma_vision.requests.prompts import FAMILIES, Family
from gemma_vision.requests.request import Request
from gemma_vision.web.forms.form_values import Options
from gemma_vision.web.forms.options import read_option_fields
from gemma_vision.web.jobs.events import NamedUpdates
from gemma_vision.web.jobs.viewer_value import JSON, ViewerState
from gemma_vision.web.server.uploads import resolve_upload
from postprocess.metrics import match

SIDES = ("left", "right")
SAME_PLACE = 0.5  # overlap (IoU) above which two boxes of one name are the same thing


@dataclass(frozen=True)
class SideValues:
    """What one side of the form holds, as the client sent it."""

    model: Any
    words: str | None = None
    options: Options = field(default_factory=dict)


@dataclass(frozen=True)
class CompareValues:
    """What the form holds: what both sides share, and each of them."""

    upload: Any
    task: str
    left: SideValues
    right: SideValues


@dataclass(frozen=True)
class Side:
    """What one side is asked: the checkpoint's id and the request."""

    model: str
    request: Request


@dataclass(frozen=True)
class Pair:
    """Both answers as they stand; `is_over` once nothing more comes."""

    left: Answer | None = None
    right: Answer | None = None
    is_over: bool = False


class CompareJob:
    """One picture asked twice. Updates "differences" and the viewers "left" and "right"."""

    def __init__(self, model_cache: ModelCache, form: CompareValues) -> None:
        self._model_cache = model_cache
        self._form = form

    def begin(self) -> NamedUpdates:
        """Open the picture and check what both sides are asked."""
        form = self._form
        original = resolve_upload(form.upload)
        image = open_image(original)
        self._sides = [self._read_side(image, side) for side in (form.left, form.right)]
        self._viewers = [
            ViewerState(image, original=original, task=form.task, limit=side.request.max_tokens)
            for side in self._sides
        ]
        return {}

    def stream(self) -> Iterator[Pair]:
        """Both answers while they grow."""
        return compare(self._model_cache, *self._sides)

    def updates(self, pair: Pair | None) -> NamedUpdates:
        """Both viewers while the answers grow."""
        return {"differences": {"state": "running"}} | self._views(pair or Pair(), "running")

    def finished(self, pair: Pair | None, is_whole: bool) -> NamedUpdates:
        """The differences and the marked viewers; nothing is compared that was stopped."""
        pair = pair or Pair()
        if not pair.is_over:
            return {"differences": {"state": "stopped"}} | self._views(pair, "stopped")
        found = differences(pair)
        return {"differences": summary(found)} | self._views(pair, "done", found)

    def failed(self, sentence: str, pair: Pair | None) -> NamedUpdates:
        """The sentence in the place of the differences."""
        return {"differences": {"note": sentence}}

    def _read_side(self, image: Any, side: SideValues) -> Side:
        task = self._form.task
        family = family_of(self._model_cache, side.model)
        options = read_option_fields(family, task, side.options) if family else {}
        return Side(side.model, Request(image, task, side.words or "", **options))

    def _views(self, pair: Pair, state: str, found: JSON | None = None) -> JSON:
        """Both viewers' values; what only one side found is marked once that is known."""
        answers = {"left": pair.left, "right": pair.right}
        return {
            side: marked(viewer, answers[side], state, found[side] if found else [])
            for side, viewer in zip(SIDES, self._viewers, strict=True)
        }


def compare(model_cache: ModelCache, left: Side, right: Side) -> Iterator[Pair]:
    """Both answers while they grow, the left one first."""
    first = second = None
    for first in answer_side(model_cache, left):
        yield Pair(first)
    for second in answer_side(model_cache, right):
        yield Pair(first, second)
    yield Pair(first, second, is_over=True)


def answer_side(model_cache: ModelCache, side: Side) -> Iterator[Answer]:
    """One side's answer while it grows; crops are left out where its checkpoint has none."""
    pipeline = model_cache.get(side.model)
    has_crops = side.request.pan_and_scan and pipeline.family.has_pan_and_scan
    return pipeline.stream(replace(side.request, pan_and_scan=has_crops))


def family_of(model_cache: ModelCache, name: object) -> Family | None:
    """What the checkpoint of that name understands, None where nobody knows it.

    Nothing is loaded to find out.
    """
    if name == model_cache.pipeline.name:
        return model_cache.pipeline.family
    for row in models():
        if row["id"] == name:  # nobody has a folder of their own looked into
            return variant_from_registry(row["id"]) or FAMILIES[row["family"]]
    return None


def differences(pair: Pair) -> JSON:
    """What both found, what only one did, and how much the boxes of the same things overlap.

    {"both": 1, "left": [2], "right": [], "overlap": 0.93, "same_text": False}; left and right
    have the places of things in the answers' lists. `overlap` is None where nothing is shared.
    """
    assert pair.left is not None and pair.right is not None
    ours, theirs = pair.left.instances, pair.right.instances
    pairs = match(ours, theirs, least=SAME_PLACE, same_label=True)
    shared_left, shared_right = {i for i, _, _ in pairs}, {j for _, j, _ in pairs}
    overlaps = [overlap for _, _, overlap in pairs]
    return {
        "both": len(pairs),
        "left": [i for i in range(len(ours)) if i not in shared_left],
        "right": [j for j in range(len(theirs)) if j not in shared_right],
        "overlap": sum(overlaps) / len(overlaps) if overlaps else None,
        "same_text": pair.left.text == pair.right.text,
    }


def marked(viewer: ViewerState, answer: Answer | None, state: str, only: list[int]) -> JSON:
    """A viewer's value in which the things that only this side found are marked.

    Its clock shows the model's own time, for the sides are asked one after the other.
    """
    value = viewer.view(answer.to_dict() if answer else None, state)
    timing: Mapping[str, Any] = answer.timing if answer else {}
    parts = [timing.get(part, 0.0) for part in ("encode", "prefill", "decode")]
    value["status"]["seconds"] = round(sum(parts), 2)
    for place in only:
        value["instances"][place]["only"] = True
    return value


def summary(found: JSON) -> JSON:
    """The differences as the page's script tells them."""
    counts = {"both": found["both"], "left": len(found["left"]), "right": len(found["right"])}
    overlap = None if found["overlap"] is None else round(found["overlap"], 3)
    return counts | {"overlap": overlap, "same": found["same_text"]}
