"""The Inside tab: one picture followed through the tensors of the loaded checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr

from gemma_vision.images.opening import open_image
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.request import Request
from gemma_vision.runtime.engine import Prompt
from gemma_vision.web.components.crops import build_pan_and_scan, wants_crops
from gemma_vision.web.components.example_strip import load_examples
from gemma_vision.web.components.html import build_html
from gemma_vision.web.components.inside import JSON, describe
from gemma_vision.web.forms.form import SHOWN_TASKS, build_buttons, build_task, build_words
from gemma_vision.web.i18n.texts import script_words, translate
from gemma_vision.web.jobs.events import Updates, connect
from gemma_vision.web.jobs.job import StreamRun
from gemma_vision.web.server.uploads import resolve_upload

MAX_TOKENS = 96  # four masks; each token is drawn with its distribution


def can_be_followed(pipeline: Pipeline) -> bool:
    """Whether the checkpoint runs here, so that its tensors can be looked at."""
    return hasattr(pipeline.engine, "checkpoint")


def build_inside_tab(pipeline: Pipeline) -> None:
    """Lay out the tab and connect it. Call inside a gr.Tab."""
    tasks = [task for task in SHOWN_TASKS if task in pipeline.tasks]
    example = next((row for row in load_examples() if row["task"] in tasks), None)
    first = example["task"] if example else tasks[0]
    with gr.Row(elem_classes="gv-columns"):
        with gr.Column(scale=4, min_width=300, elem_classes="gv-form"):
            picture = build_picture(example["path"] if example else None)
            task = build_task(tasks, first, "inside-task")
            words = build_words(task, example["text"] if example else "", elem_id="inside-words")
            has_crops = pipeline.family.has_pan_and_scan
            crops = build_pan_and_scan("inside-crops", visible=has_crops)
            run, stop = build_buttons("follow", "inside")
        with gr.Column(scale=7, min_width=320, elem_classes="gv-result"):
            shown = build_stages()
    connect(Walks(pipeline), [picture, task, words, crops], [shown], run, stop)


def build_picture(path: str | None) -> gr.Image:
    """The picture to follow; an example is there from the start."""
    return gr.Image(
        path,
        label=translate("picture"),
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard"],
        buttons=[],
        height=240,
        elem_id="inside-picture",
    )


def build_stages() -> gr.HTML:
    """The stages; the template is static and the script writes texts as texts."""
    return build_html("inside", words=script_words(), elem_id="inside")


class Walks:
    """Walks through the model as the page shows them: the stages known so far."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def begin(
        self, picture: Mapping[str, Any] | None, task: str, words: str, crops: bool
    ) -> StreamRun[list[JSON], None]:
        """Follow the picture through the tensors."""
        image = open_image(resolve_upload(picture))
        has_crops = wants_crops(self._pipeline, crops)
        wish = Request(image, task, words, max_tokens=MAX_TOKENS, pan_and_scan=has_crops)
        return StreamRun(lambda: walk(self._pipeline, wish), None)

    def growing(self, states: Iterator[list[JSON] | None], about: None) -> Iterator[Updates]:
        """The stages while they come."""
        for stages in states:
            yield [view("running", stages)]

    def finished(self, stages: list[JSON] | None, about: None, is_whole: bool) -> Updates:
        """All stages, or those that were known at Stop."""
        return [view("done" if is_whole else "stopped", stages)]

    def failed(self, sentence: str, stages: list[JSON] | None) -> Updates:
        """The sentence above the stages known by then."""
        return [view("error", stages, sentence)]


def view(state: str, stages: list[JSON] | None, *notes: str) -> JSON:
    """The value of the component."""
    return {"state": state, "notes": list(notes), "stages": stages or []}


def walk(pipeline: Pipeline, request: Request) -> Iterator[list[JSON]]:
    """All stages so far, again and again. A stage that comes again takes its earlier place."""
    from gemma_vision.inside import trace

    (image,) = request.images
    prompt = Prompt(
        (image,),
        pipeline.family.write_prompt(request),
        request.max_tokens,
        pan_and_scan=request.pan_and_scan,
    )
    known: dict[str, JSON] = {}
    for stage in trace(pipeline.engine, prompt, pipeline.decoder):
        known[stage.name] = describe(stage)
        yield list(known.values())
