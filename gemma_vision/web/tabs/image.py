"""The Image tab: picture, task, words, Run and Stop; the answer beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.request import MAX_TEXT
from gemma_vision.web.components.cache_status import build_cache_status
from gemma_vision.web.components.crops import build_crops
from gemma_vision.web.components.example_strip import Example, build_strip, load_examples
from gemma_vision.web.components.viewer import build_viewer
from gemma_vision.web.forms.form import SHOWN_TASKS, build_task, words_of
from gemma_vision.web.forms.options import IDS, build_options, build_settings, fit
from gemma_vision.web.i18n.texts import translate
from gemma_vision.web.jobs.events import SILENT, Updates, busy, idle, listen, unchanged
from gemma_vision.web.tabs.image_run import Frame, Looker, Wish


@dataclass(frozen=True)
class ImageTab:
    """What the page connects to its own coming and going."""

    looker: Looker
    form: dict[str, Any]

    @property
    def linked(self) -> list[Any]:
        """What an address may fill in."""
        return [self.form[name] for name in ("task", "words", *IDS)]

    def fill_from_link(self, request: gr.Request) -> Updates:
        """Task and words of an address that ends in ?task=segment&text=cat%20;%20dog"""
        asked = request.query_params
        task, text = asked.get("task"), asked.get("text")
        if task not in SHOWN_TASKS or task not in self.looker.pipeline.tasks:
            return unchanged(len(self.linked))
        words, *options = fit_to_task(self.looker.pipeline, task)
        return [task, words | {"value": (text or "")[:MAX_TEXT]}, *options]

    def leave(self, request: gr.Request) -> None:
        """A visitor closed the page: nothing more is worked out for them."""
        self.looker.leave(str(request.session_hash))


def build_image_tab(pipeline: Pipeline) -> ImageTab:
    """Lay out the tab and connect it. Call inside a gr.Tab."""
    looker = Looker(pipeline)
    tasks = [task for task in SHOWN_TASKS if task in pipeline.tasks]
    with gr.Row(elem_classes="gv-columns"):
        with gr.Column(scale=4, min_width=300, elem_classes="gv-form"):
            form = build_form(pipeline, tasks)
        with gr.Column(scale=7, min_width=320, elem_classes="gv-result"):
            viewer = build_viewer(elem_id="viewer")
            crops = build_crops()
            drawer, data = build_drawer("json")
        examples = load_examples()
        with gr.Column(elem_classes="gv-examples", visible=bool(examples)):
            strip = build_strip(examples, tasks)
    connect(looker, form, [viewer, drawer, data, crops, form["remembered"]])
    connect_examples(looker.pipeline, form, strip, examples)
    return ImageTab(looker, form)


def build_form(pipeline: Pipeline, tasks: list[str]) -> dict[str, Any]:
    """The left column's components by name."""
    form: dict[str, Any] = {"picture": build_picture()}
    form["task"] = build_task(tasks, tasks[0], "task")
    form["words"] = gr.Textbox(value="", elem_id="words", max_lines=4, **words_of(tasks[0]))
    form |= build_options(pipeline, tasks[0])
    with gr.Row(elem_classes="gv-buttons"):
        form["run"] = gr.Button(translate("run"), variant="primary", elem_id="run", scale=3)
        form["stop"] = gr.Button(translate("stop"), interactive=False, elem_id="stop", scale=1)
    with gr.Accordion(translate("settings"), open=False):
        form["max_tokens"] = gr.Slider(16, 1024, 256, step=16, label=translate("max_tokens"))
        form["temperature"] = gr.Slider(0, 1.5, 0, step=0.05, label=translate("temperature"))
        form["seed"] = gr.Number(0, label=translate("seed"), precision=0, minimum=0)
        form |= build_settings(pipeline, tasks[0])
        form["remembered"] = build_cache_status(pipeline)
    return form


def build_picture() -> gr.Image:
    """Upload, clipboard or webcam. Its value is taken raw: nobody opens the file before
    `gemma_vision.web.server.uploads` has looked at where it is.
    """
    return gr.Image(
        label=translate("picture"),
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard", "webcam"],
        webcam_options=gr.WebcamOptions(
            mirror=False, constraints={"video": {"width": 1280, "height": 960}}
        ),
        buttons=["fullscreen"],
        height=240,
        elem_id="picture",
    )


def build_drawer(name: str) -> tuple[gr.Accordion, gr.JSON]:
    """The closed drawer under a viewer that holds the answer as JSON."""
    with gr.Accordion(translate("json"), open=False, visible=False) as drawer:
        data = gr.JSON(show_label=False, max_height=360, elem_id=name)
    return drawer, data


def fit_to_task(pipeline: Pipeline, task: str, style: str | None = None) -> Updates:
    """Words and options as the task wants them; what was written stays."""
    return [gr.update(**words_of(task)), *fit(pipeline, task, style)]


def connect(looker: Looker, form: dict[str, Any], shown: list[Any]) -> None:
    """What happens on Run, Stop, Enter and a new task."""
    buttons = [form["run"], form["stop"]]
    fields = [form[name] for name in Wish.__dataclass_fields__]

    def run(request: gr.Request, *values: Any) -> Iterator[Updates]:
        for frame in looker.look(Wish(*values), str(request.session_hash)):
            yield updates(frame)

    def stop(request: gr.Request) -> Updates:
        frame = looker.stop(str(request.session_hash))
        return updates(frame) if frame else [*unchanged(len(shown)), *idle()]

    starts = [form["run"].click, form["words"].submit]
    gr.on(starts, busy, None, buttons, **SILENT)
    listen(starts, run, stop, fields, shown, buttons)

    def fit_form(task: str, style: str | None) -> Updates:
        return fit_to_task(looker.pipeline, task, style)

    fitted = [form[name] for name in ("words", *IDS)]
    form["task"].input(fit_form, [form["task"], form["style"]], fitted, preprocess=False, **SILENT)
    form["prompts"].input(lambda text: text, form["prompts"], form["words"], **SILENT)


def connect_examples(
    pipeline: Pipeline, form: dict[str, Any], strip: gr.HTML, examples: list[Example]
) -> None:
    """A picked example brings its picture, its task and its own words."""

    def pick(event: gr.EventData) -> Updates:
        example = examples[int(event.index) % len(examples)]
        words, *options = fit_to_task(pipeline, example["task"])
        return [example["path"], example["task"], words | {"value": example["text"]}, *options]

    targets = [form[name] for name in ("picture", "task", "words", *IDS)]
    strip.pick(pick, None, targets, **SILENT)


def updates(frame: Frame) -> Updates:
    """A frame as what the viewer, the drawer, the JSON, the crops, the line of what is remembered
    and the two buttons become.
    """
    crops = gr.skip() if frame.crops is None else frame.crops
    if not frame.is_over:
        return [frame.view, *unchanged(2), crops, *unchanged(3)]
    has_answer = frame.answer is not None
    drawer = gr.update(visible=has_answer)
    return [frame.view, drawer, frame.answer, crops, frame.remembered or gr.skip(), *idle()]
