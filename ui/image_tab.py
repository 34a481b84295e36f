"""The Image tab: picture, task, words, Run and Stop; the answer beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from gemma_vision.pipeline import Pipeline
from gemma_vision.tasks import LANGUAGES, MAX_TEXT, NEEDS_NAMES
from ui.example_strip import Example, build_strip, load_examples
from ui.looking import Frame, Looker, Wish
from ui.texts import say
from ui.viewer import build_viewer

SHOWN_TASKS = ("detect", "segment", "caption", "ask", "ocr", "free")  # chat has a tab of its own
WITH_LANGUAGE = ("caption", "ask", "ocr")
WORDS = {"ask": "question", "free": "prompt"}  # what the words are called, by task

SILENT: dict[str, Any] = {"queue": False, "api_visibility": "private", "show_progress": "hidden"}

Updates = list[Any]


@dataclass(frozen=True)
class ImageTab:
    """What the page connects to its own coming and going."""

    looker: Looker
    form: dict[str, Any]
    tasks: list[str]

    def fill_from_link(self, request: gr.Request) -> Updates:
        """Task and words of an address that ends in ?task=segment&text=cat%20;%20dog"""
        asked = request.query_params
        task, text = asked.get("task"), asked.get("text")
        if task not in self.tasks:
            return [gr.skip()] * 3
        words, language = fit_to_task(task)
        return [task, words | {"value": (text or "")[:MAX_TEXT]}, language]

    def leave(self, request: gr.Request) -> None:
        """A visitor closed the page: nothing more is worked out for them."""
        self.looker.leave(str(request.session_hash))


def build_image_tab(pipeline: Pipeline) -> ImageTab:
    """Lay out the tab and connect it. Call inside a gr.Tab."""
    looker = Looker(pipeline)
    tasks = [task for task in SHOWN_TASKS if task in pipeline.tasks]
    with gr.Row(elem_classes="gv-columns"):
        with gr.Column(scale=4, min_width=300, elem_classes="gv-form"):
            form = build_form(tasks)
        with gr.Column(scale=7, min_width=320, elem_classes="gv-result"):
            viewer = build_viewer(elem_id="viewer")
            drawer, data = build_drawer("json")
        examples = [example for example in load_examples() if example["task"] in tasks]
        with gr.Column(elem_classes="gv-examples", visible=bool(examples)):
            strip = build_strip(examples)
    connect(looker, form, [viewer, drawer, data])
    connect_examples(form, strip, examples)
    return ImageTab(looker, form, tasks)


def build_form(tasks: list[str]) -> dict[str, Any]:
    """The left column's components by name."""
    form: dict[str, Any] = {"picture": build_picture()}
    choices = [(say(task), task) for task in tasks]
    form["task"] = gr.Radio(
        choices,
        value=tasks[0],
        label=say("task"),
        show_label=False,
        container=False,
        elem_id="task",
        elem_classes="gv-pills",
    )
    form["words"] = gr.Textbox(elem_id="words", max_lines=4, **words_of(tasks[0]))
    form["language"] = gr.Dropdown(
        list(LANGUAGES), value="en", label=say("language"), visible=tasks[0] in WITH_LANGUAGE
    )
    with gr.Row(elem_classes="gv-buttons"):
        form["run"] = gr.Button(say("run"), variant="primary", elem_id="run", scale=3)
        form["stop"] = gr.Button(say("stop"), interactive=False, elem_id="stop", scale=1)
    with gr.Accordion(say("settings"), open=False):
        form["max_tokens"] = gr.Slider(16, 1024, 256, step=16, label=say("max_tokens"))
        form["temperature"] = gr.Slider(0, 1.5, 0, step=0.05, label=say("temperature"))
        form["seed"] = gr.Number(0, label=say("seed"), precision=0, minimum=0)
    return form


def build_picture() -> gr.Image:
    """Upload, clipboard or webcam. Its value is taken raw: nobody opens the file before
    `ui.uploads` has looked at where it is.
    """
    return gr.Image(
        label=say("picture"),
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
    with gr.Accordion(say("json"), open=False, visible=False) as drawer:
        data = gr.JSON(show_label=False, max_height=360, elem_id=name)
    return drawer, data


def words_of(task: str) -> dict[str, Any]:
    """How the words are called and whether they are asked for at all."""
    name = "names" if task in NEEDS_NAMES else WORDS.get(task)
    if name is None:
        return {"visible": False, "label": say("names"), "placeholder": ""}
    return {"visible": True, "label": say(name), "placeholder": say(f"{name}_hint")}


def fit_to_task(task: str) -> Updates:
    """Words and language as the task wants them; what was written stays."""
    return [gr.update(**words_of(task)), gr.update(visible=task in WITH_LANGUAGE)]


def connect(looker: Looker, form: dict[str, Any], shown: list[Any]) -> None:
    """What happens on Run, Stop, Enter and a new task."""
    buttons = [form["run"], form["stop"]]
    fields = [form[name] for name in Wish.__dataclass_fields__]

    def run(request: gr.Request, *values: Any) -> Iterator[Updates]:
        for frame in looker.look(Wish(*values), str(request.session_hash)):
            yield updates(frame)

    def stop(request: gr.Request) -> Updates:
        frame = looker.stop(str(request.session_hash))
        return updates(frame) if frame else [gr.skip()] * len(shown) + idle()

    starts = [form["run"].click, form["words"].submit]
    gr.on(starts, busy, None, buttons, **SILENT)
    running = gr.on(
        starts,
        run,
        fields,
        shown + buttons,
        preprocess=False,
        concurrency_id="model",
        concurrency_limit=1,
        trigger_mode="once",
        api_visibility="private",
        show_progress="minimal",
        show_progress_on=shown[:1],
    )
    running.then(idle, None, buttons, **SILENT)
    running.failure(idle, None, buttons, **SILENT)
    form["stop"].click(stop, None, shown + buttons, cancels=[running], **SILENT)
    form["task"].input(fit_to_task, form["task"], [form["words"], form["language"]], **SILENT)


def connect_examples(form: dict[str, Any], strip: gr.HTML, examples: list[Example]) -> None:
    """A picked example brings its picture, its task and its own words."""

    def pick(event: gr.EventData) -> Updates:
        example = examples[int(event.index) % len(examples)]
        words, language = fit_to_task(example["task"])
        return [example["path"], example["task"], words | {"value": example["text"]}, language]

    targets = [form[name] for name in ("picture", "task", "words", "language")]
    strip.pick(pick, None, targets, **SILENT)


def updates(frame: Frame) -> Updates:
    """A frame as what the viewer, the drawer, the JSON and the two buttons become."""
    if not frame.is_over:
        return [frame.view, *[gr.skip()] * 4]
    has_answer = frame.answer is not None
    return [frame.view, gr.update(visible=has_answer), frame.answer, *idle()]


def busy() -> Updates:
    """The buttons while a wish is carried out."""
    return [gr.update(interactive=False), gr.update(interactive=True)]


def idle() -> Updates:
    """The buttons while nothing runs."""
    return [gr.update(interactive=True), gr.update(interactive=False)]
