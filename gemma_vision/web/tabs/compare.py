"""The Compare tab: one picture and one task, two sides, and where they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr

from gemma_vision.images.opening import open_image
from gemma_vision.registry.model_cache import ModelCache
from gemma_vision.requests.request import Request
from gemma_vision.web.components.crops import build_pan_and_scan, fit_pan_and_scan
from gemma_vision.web.components.example_strip import Example, load_examples
from gemma_vision.web.components.html import build_html
from gemma_vision.web.components.viewer import build_viewer
from gemma_vision.web.forms.form import SHOWN_TASKS, build_buttons, build_task, build_words
from gemma_vision.web.i18n.texts import script_words, translate
from gemma_vision.web.jobs.events import SILENT, Updates, connect
from gemma_vision.web.jobs.job import StreamRun
from gemma_vision.web.jobs.viewer_value import JSON, ViewerState
from gemma_vision.web.server.uploads import resolve_upload
from gemma_vision.web.tabs.compare_run import (
    Pair,
    Side,
    compare,
    differences,
    has_pan_and_scan,
    marked,
    summary,
)

SIDES = ("left", "right")
WARM = 0.7  # the right side's temperature at first, so that there is something to compare


def build_compare_tab(model_cache: ModelCache) -> None:
    """Lay out the tab and connect it. Call inside a gr.Tab."""
    pipeline = model_cache.pipeline
    tasks = [task for task in SHOWN_TASKS if task in pipeline.tasks]
    example = next((row for row in load_examples() if row["task"] in tasks), None)
    first = example["task"] if example else tasks[0]
    with gr.Row(elem_classes="gv-compare-form"):
        with gr.Column(scale=4, min_width=280):
            picture = build_picture(example["path"] if example else None)
        with gr.Column(scale=5, min_width=300):
            task = build_task(tasks, first, "compare-task")
            with gr.Row():
                sides = [build_side(model_cache, side, task, example) for side in SIDES]
            run, stop = build_buttons("compare", "compare")
    told = build_differences()
    with gr.Row(elem_classes="gv-compare-result"):
        viewers = []
        for side in SIDES:
            with gr.Column(min_width=300):
                viewers.append(build_viewer(elem_id=f"compare-{side}"))
    fields = [picture, task, *sides[0], *sides[1]]
    connect(Comparer(model_cache), fields, [told, *viewers], run, stop)


def build_picture(path: str | None) -> gr.Image:
    """The picture that both sides see; an example is there from the start."""
    return gr.Image(
        path,
        label=translate("picture"),
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard"],
        buttons=[],
        height=260,
        elem_id="compare-picture",
    )


def build_side(
    model_cache: ModelCache, side: str, task: gr.Radio, example: Example | None
) -> list[Any]:
    """A side's own fields: checkpoint, words, temperature, seed, crops."""
    names, text = model_cache.names(), example["text"] if example else ""
    with gr.Column(min_width=220):
        model = gr.Dropdown(
            names, value=names[0], label=translate(f"model_{side}"), elem_id=f"compare-model-{side}"
        )
        words = build_words(task, text, elem_id=f"compare-words-{side}")
        warmth = WARM if side == "right" else 0
        temperature = gr.Slider(0, 1.5, warmth, step=0.05, label=translate("temperature"))
        seed = gr.Number(0, label=translate("seed"), precision=0, minimum=0)
        has_crops = has_pan_and_scan(model_cache, names[0])
        crops = build_pan_and_scan(f"compare-crops-{side}", visible=has_crops)

    def fit(name: Any, ticked: Any) -> Any:
        return fit_pan_and_scan(ticked, visible=has_pan_and_scan(model_cache, name))

    model.input(fit, [model, crops], crops, preprocess=False, **SILENT)
    return [model, words, temperature, seed, crops]


def build_differences() -> gr.HTML:
    """In what the answers differ; the script writes texts as texts."""
    return build_html("compare", words=script_words(), elem_id="compare-told")


class Comparer:
    """Comparisons as the page shows them: the differences and both viewers."""

    def __init__(self, model_cache: ModelCache) -> None:
        self._model_cache = model_cache

    def begin(
        self, picture: Mapping[str, Any] | None, task: str, *values: Any
    ) -> StreamRun[Pair, list[ViewerState]]:
        """Ask both sides; five values for each."""
        original = resolve_upload(picture)
        image = open_image(original)
        sides = [read_side(image, task, *values[at : at + 5]) for at in (0, 5)]
        shown = [ViewerState(image, original=original, task=task, limit=256) for _ in SIDES]
        return StreamRun(lambda: compare(self._model_cache, *sides), shown)

    def growing(self, states: Iterator[Pair | None], shown: list[ViewerState]) -> Iterator[Updates]:
        """Both viewers while the answers grow."""
        for pair in states:
            views = marked_all(shown, pair or Pair(), "running")
            yield [{"state": "running"}, *views]

    def finished(self, pair: Pair | None, shown: list[ViewerState], is_whole: bool) -> Updates:
        """The differences and the marked viewers; nothing is compared that was stopped."""
        pair = pair or Pair()
        if not pair.is_over:
            return [{"state": "stopped"}, *marked_all(shown, pair, "stopped")]
        found = differences(pair)
        return [summary(found), *marked_all(shown, pair, "done", found)]

    def failed(self, sentence: str, pair: Pair | None) -> Updates:
        """The sentence in the place of the differences."""
        return [{"note": sentence}, gr.skip(), gr.skip()]


def read_side(
    image: Any, task: str, model: str, words: str, temperature: float, seed: int, crops: bool
) -> Side:
    """A side as the client sent it."""
    options: dict[str, Any] = {"temperature": temperature, "seed": seed}
    return Side(model, Request(image, task, words, pan_and_scan=bool(crops), **options))


def marked_all(
    shown: list[ViewerState], pair: Pair, state: str, found: JSON | None = None
) -> list[JSON]:
    """Both viewers' values; what only one side found is marked once the differences are known."""
    answers = (pair.left, pair.right)
    return [
        marked(one, answer, state, found[side] if found else [])
        for one, answer, side in zip(shown, answers, SIDES, strict=True)
    ]
