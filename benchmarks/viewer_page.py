"""A page with two ways to show a growing answer: our viewer, and gr.AnnotatedImage.

Both get the same masks from the same clock, on one page and from one process. `ModelTimes` has
when the model had each of them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from benchmarks.drawing import NAMES, SEED, ellipses, noise, things
from gemma_vision.answers.instance_json import Shapes
from gemma_vision.checkpoints.mask_decoder_files import open_decoder
from gemma_vision.web.components.viewer import build_viewer
from gemma_vision.web.jobs.job import StreamRun
from gemma_vision.web.jobs.viewer_value import ViewerState
from postprocess import Instance, locate

SIZE = (1024, 768)
EVERY = 0.2  # seconds between two updates: five a second
SIDES = ("viewer", "annotated")
LIMIT = 10_000  # tokens; nothing is cut

Update = tuple[int, list[Instance]]


@dataclass
class ModelTimes:
    """When the model had each update, by side: seconds since 1970."""

    times: dict[str, list[float]] = field(default_factory=lambda: {side: [] for side in SIDES})
    began: dict[str, float] = field(default_factory=dict)

    def start(self, side: str) -> None:
        """A new answer begins."""
        self.times[side], self.began[side] = [], time.time()


def make_updates(num_updates: int, num_masks: int, num_changing: int = 1) -> list[list[Instance]]:
    """Answers of the model: the same things all the time, but for the first few.

    A growing answer has one new thing after the other, and the things before stay what they are.
    The label of the first thing says which update it is, so that it can be found on the page.
    """
    decoder = open_decoder("embedded")
    assert decoder is not None
    rng = np.random.default_rng(SEED)
    codes = decoder.encode(ellipses(num_masks))
    updates: list[list[Instance]] = []
    for number in range(num_updates):
        mixed = [row.tolist() for row in rng.permutation(codes)]
        found = locate(things(mixed, ""), SIZE, decoder, "bigvision")
        found = [relabel(one, number, place) for place, one in enumerate(found)]
        updates.append([*found[:num_changing], *(updates[-1] if updates else found)[num_changing:]])
    return updates


def relabel(instance: Instance, number: int, place: int) -> Instance:
    """The same thing under the name by which the page is searched."""
    label = name_of(number) if place == 0 else NAMES[place % len(NAMES)]
    return Instance(label, instance.box, instance.pixels, instance.mask, score=0.9)


def name_of(number: int) -> str:
    """What an update's first thing is called."""
    return f"update {number:02d}"


def speak(
    updates: Sequence[list[Instance]], model_times: ModelTimes, side: str
) -> Iterator[Update]:
    """The model: it has an update every `EVERY` seconds, whatever the page does."""
    model_times.start(side)
    for number, instances in enumerate(updates):
        time.sleep(max(0.0, model_times.began[side] + (number + 1) * EVERY - time.time()))
        model_times.times[side].append(time.time())
        yield number, instances


def show_ours(
    updates: Sequence[list[Instance]], image: Image.Image, model_times: ModelTimes
) -> Iterator[dict[str, Any]]:
    """As the app does it: the model in its own thread, its newest answer as outlines."""
    viewer = ViewerState(image, task="segment", limit=LIMIT)
    yield viewer.view(None, "running")
    run: StreamRun[Update, None] = StreamRun(lambda: speak(updates, model_times, "viewer"), None)
    shapes = Shapes()
    for update in run.follow():
        if update is not None:
            answer = {"instances": [shapes.describe(one) for one in update[1]], "text": ""}
            yield viewer.view(answer, "running")


def show_annotated(
    updates: Sequence[list[Instance]], path: Path, model_times: ModelTimes
) -> Iterator[tuple[str, list[Any]]]:
    """As a Gradio demo does it, at its quickest: the picture is a file, masks are arrays."""
    for _, instances in speak(updates, model_times, "annotated"):
        masked = ((one.mask, one.label) for one in instances if one.mask is not None)
        yield str(path), [(mask.astype(np.float32), label) for mask, label in masked]


def build_page(
    updates: Sequence[list[Instance]], folder: Path, model_times: ModelTimes
) -> gr.Blocks:
    """Both sides under each other, each with a button.

    The viewer with the progress note that it has in the app, the other without any: Gradio's own
    moves all the time, and costs time.
    """
    image, path = noise(SIZE), folder / "picture.png"
    image.save(path)
    page: gr.Blocks
    with gr.Blocks(analytics_enabled=False) as page:
        buttons = [gr.Button(side, elem_id=f"run-{side}") for side in SIDES]
        viewer = build_viewer(elem_id="viewer")
        annotated = gr.AnnotatedImage(format="jpeg", elem_id="annotated")
        ours = partial(show_ours, updates, image, model_times)
        theirs = partial(show_annotated, updates, path, model_times)
        buttons[0].click(lambda: (yield from ours()), None, viewer, show_progress="minimal")
        buttons[1].click(lambda: (yield from theirs()), None, annotated, show_progress="hidden")
    return page
