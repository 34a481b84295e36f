"""Compare run: one picture, two requests or two checkpoints, and in what the answers differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gemma_vision.answers.answer import Answer
from gemma_vision.registry.loading import models, variant_from_registry
from gemma_vision.registry.model_cache import ModelCache
from gemma_vision.requests.family import Family
from gemma_vision.requests.prompts import FAMILIES
from gemma_vision.requests.request import Request
from gemma_vision.web.forms.answer_panel import panel_values
from gemma_vision.web.forms.form_values import Options
from gemma_vision.web.forms.options import read_option_fields
from gemma_vision.web.jobs.events import NamedUpdates
from gemma_vision.web.jobs.image_answer import ImageAnswer
from gemma_vision.web.jobs.viewer_value import JSON, ViewerState
from gemma_vision.web.jobs.visitor_answers import VisitorAnswer, picture_name
from gemma_vision.web.server.picture_worker import open_picture
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
    """Both answers as they stand; `is_over` once nothing more comes.

    There is none of a side whose checkpoint knows none of the names.
    """

    left: Answer | None = None
    right: Answer | None = None
    is_over: bool = False


class CompareJob:
    """One picture asked twice. Updates "differences" and the parts of both answer panels, which
    begin with "left." and "right.".

    stores: take each side's result once there is one, and None while there is none.
    """

    def __init__(
        self,
        model_cache: ModelCache,
        form: CompareValues,
        stores: Mapping[str, Callable[[VisitorAnswer | None], None]] | None = None,
    ) -> None:
        self._model_cache = model_cache
        self._form = form
        self._stores = stores or {}
        self._runs: dict[str, ImageAnswer] = {}  # of the sides that were asked
        self._viewers: dict[str, ViewerState] = {}

    def begin(self) -> NamedUpdates:
        """Open the picture and check what both sides are asked."""
        form = self._form
        for side in SIDES:
            self._store(side, None)
        original = resolve_upload(form.upload)
        image = open_picture(original)
        self._name = picture_name(form.upload, original)
        self._sides = {
            "left": self._read_side(image, form.left),
            "right": self._read_side(image, form.right),
        }
        self._viewers = {
            name: ViewerState(
                image, original=original, task=form.task, limit=side.request.max_tokens
            )
            for name, side in self._sides.items()
        }
        return {}

    def stream(self) -> Iterator[Pair]:
        """Both answers while they grow, the left one first."""
        left = right = None
        for left in self._answer("left"):
            yield Pair(left)
        for right in self._answer("right"):
            yield Pair(left, right)
        yield Pair(left, right, is_over=True)

    def updates(self, pair: Pair | None) -> NamedUpdates:
        """Both viewers while the answers grow."""
        return {"differences": {"state": "running"}} | self._views("running")

    def finished(self, pair: Pair | None, is_whole: bool) -> NamedUpdates:
        """The differences and the marked viewers; nothing is compared that was stopped."""
        pair = pair or Pair()
        if not pair.is_over:
            return {"differences": {"state": "stopped"}} | self._panels("stopped", {})
        found = differences(pair)
        return {"differences": summary(found)} | self._panels("done", found)

    def failed(self, sentence: str, pair: Pair | None) -> NamedUpdates:
        """The sentence in the place of the differences."""
        return {"differences": {"note": sentence}}

    def _read_side(self, image: Any, side: SideValues) -> Side:
        task = self._form.task
        family = family_of(self._model_cache, side.model)
        options = read_option_fields(family, task, side.options) if family else {}
        return Side(side.model, Request(image, task, side.words or "", **options))

    def _answer(self, name: str) -> Iterator[Answer]:
        """One side's answer while it grows; crops are left out where its checkpoint has none."""
        side = self._sides[name]
        pipeline = self._model_cache.get(side.model)
        has_crops = side.request.pan_and_scan and pipeline.family.has_pan_and_scan
        request = replace(side.request, pan_and_scan=has_crops)
        run = ImageAnswer(pipeline, request, self._viewers[name], self._name)
        self._runs[name] = run
        for answer in run.stream():
            run.take(answer)
            assert run.shown is not None, "an answer was taken"
            yield run.shown

    def _store(self, side: str, result: VisitorAnswer | None) -> None:
        if side in self._stores:
            self._stores[side](result)

    def _views(self, state: str) -> JSON:
        return {f"{side}.viewer": self._view(side, state) for side in SIDES}

    def _panels(self, state: str, found: JSON) -> JSON:
        """Both panels; what only one side found is marked."""
        updates: JSON = {}
        for side in SIDES:
            run = self._runs.get(side)
            view = marked(self._view(side, state), found.get(side, []))
            result = run.result() if run else None
            self._store(side, result)
            values = panel_values(view, result)
            updates |= {f"{side}.{name}": value for name, value in values.items()}
        return updates

    def _view(self, side: str, state: str) -> JSON:
        """A side's viewer. Its clock shows the model's own time, for the sides are asked one after
        the other.
        """
        run = self._runs.get(side)
        if run is None:
            return without_clock(self._viewers[side].view(None, state), None)
        is_told = run.request is not None
        return without_clock(run.view(state if is_told else "empty"), run.shown)


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

    {"both": 1, "left": [2], "right": [], "overlap": 0.93, "same_text": False,
    "blank": False}; left and right
    have the places of things in the answers' lists. `overlap` is None where nothing is shared.
    """
    ours = pair.left.instances if pair.left else []
    theirs = pair.right.instances if pair.right else []
    pairs = match(ours, theirs, least=SAME_PLACE, same_label=True)
    shared_left, shared_right = {i for i, _, _ in pairs}, {j for _, j, _ in pairs}
    overlaps = [overlap for _, _, overlap in pairs]
    return {
        "both": len(pairs),
        "left": [i for i in range(len(ours)) if i not in shared_left],
        "right": [j for j in range(len(theirs)) if j not in shared_right],
        "overlap": sum(overlaps) / len(overlaps) if overlaps else None,
        "same_text": text_of(pair.left) == text_of(pair.right),
        "blank": not (ours or theirs or words_of(pair.left) or words_of(pair.right)),
    }


def text_of(answer: Answer | None) -> str:
    """All that a side wrote."""
    return answer.text if answer else ""


def words_of(answer: Answer | None) -> str:
    """What a side said beside the things that it found."""
    return answer.plain.strip() if answer else ""


def marked(view: JSON, only: Sequence[int]) -> JSON:
    """A viewer's value in which the things that only this side found are marked."""
    for place in only:
        view["instances"][place]["only"] = True
    return view


def without_clock(view: JSON, answer: Answer | None) -> JSON:
    """A viewer's value that shows the time that the model itself took."""
    timing: Mapping[str, Any] = answer.timing if answer else {}
    parts = [timing.get(part, 0.0) for part in ("encode", "prefill", "decode")]
    view["status"]["seconds"] = round(sum(parts), 2)
    return view


def summary(found: JSON) -> JSON:
    """The differences as the page's script tells them."""
    counts = {"both": found["both"], "left": len(found["left"]), "right": len(found["right"])}
    overlap = None if found["overlap"] is None else round(found["overlap"], 3)
    return counts | {"overlap": overlap, "same": found["same_text"], "blank": found["blank"]}
