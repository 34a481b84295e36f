"""Comparing: one picture, two wishes or two checkpoints, and in what the answers differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from gemma_vision.answers.answer import Answer
from gemma_vision.registry.loading import models
from gemma_vision.registry.model_cache import ModelCache
from gemma_vision.requests.prompts import FAMILIES
from gemma_vision.requests.request import Request
from gemma_vision.web.components.crops import wants_crops
from gemma_vision.web.jobs.viewer_value import JSON, ViewerState
from postprocess.metrics import match

SAME_PLACE = 0.5  # overlap (IoU) above which two boxes of one name are the same thing


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


def compare(model_cache: ModelCache, left: Side, right: Side) -> Iterator[Pair]:
    """Both answers while they grow, the left one first."""
    first = second = None
    for first in ask(model_cache, left):
        yield Pair(first)
    for second in ask(model_cache, right):
        yield Pair(first, second)
    yield Pair(first, second, is_over=True)


def ask(model_cache: ModelCache, side: Side) -> Iterator[Answer]:
    """One side's answer while it grows; crops are left out where its checkpoint has none."""
    pipeline = model_cache.get(side.model)
    has_crops = wants_crops(pipeline, side.request.pan_and_scan)
    return pipeline.stream(replace(side.request, pan_and_scan=has_crops))


def has_pan_and_scan(model_cache: ModelCache, name: object) -> bool:
    """Whether the checkpoint of that name looks at crops. Nothing is loaded to find out."""
    if name == model_cache.pipeline.name:
        return model_cache.pipeline.family.has_pan_and_scan
    families = [FAMILIES[row["family"]] for row in models() if row["id"] == name]
    return any(family.has_pan_and_scan for family in families)


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


def marked(showing: ViewerState, answer: Answer | None, state: str, only: list[int]) -> JSON:
    """A viewer's value in which the things that only this side found are marked.

    Its clock shows the model's own time, for the sides are asked one after the other.
    """
    value = showing.view(answer and answer.to_dict(), state)
    timing = answer.timing if answer else {}
    parts = [timing.get(part, 0.0) for part in ("encode", "prefill", "decode")]
    value["status"]["seconds"] = round(sum(parts), 2)
    for place in only:
        value["instances"][place]["only"] = True
    return value


def summary(found: JSON) -> dict[str, Any]:
    """The differences as the page's script tells them."""
    counts = {"both": found["both"], "left": len(found["left"]), "right": len(found["right"])}
    overlap = None if found["overlap"] is None else round(found["overlap"], 3)
    return counts | {"overlap": overlap, "same": found["same_text"]}
