"""The Inside tab: one picture followed through the tensors of the loaded checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr

from gemma_vision.engine import Prompt
from gemma_vision.images import open_image
from gemma_vision.pipeline import Pipeline
from gemma_vision.tasks import Request
from ui.example_strip import load_examples
from ui.image_tab import SHOWN_TASKS, SILENT, Updates, busy, idle, words_of
from ui.refusals import explain
from ui.running import Run, Runs
from ui.stages import JSON, describe
from ui.texts import say, script_words
from ui.uploads import resolve_upload
from ui.viewer import read

MAX_TOKENS = 96  # four masks; each token is drawn with its distribution
STOP_SECONDS = 20.0


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
            task = gr.Radio(
                [(say(name), name) for name in tasks],
                value=first,
                label=say("task"),
                show_label=False,
                container=False,
                elem_id="inside-task",
                elem_classes="gv-pills",
            )
            text = {"value": example["text"] if example else ""}
            words = gr.Textbox(elem_id="inside-words", max_lines=4, **words_of(first), **text)
            crops = gr.Checkbox(label=say("pan_and_scan"), visible=pipeline.family.has_pan_and_scan)
            with gr.Row(elem_classes="gv-buttons"):
                run = gr.Button(say("follow"), variant="primary", elem_id="inside-run", scale=3)
                stop = gr.Button(say("stop"), interactive=False, elem_id="inside-stop", scale=1)
        with gr.Column(scale=7, min_width=320, elem_classes="gv-result"):
            shown = build_stages()
    task.input(lambda name: gr.update(**words_of(name)), task, words, **SILENT)
    connect(pipeline, [picture, task, words, crops], shown, run, stop)


def build_picture(path: str | None) -> gr.Image:
    """The picture to follow; an example is there from the start."""
    return gr.Image(
        path,
        label=say("picture"),
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard"],
        buttons=[],
        height=240,
        elem_id="inside-picture",
    )


def build_stages() -> gr.HTML:
    """The stages; the template is static and the script writes texts as texts."""
    return gr.HTML(
        None,
        html_template=read("inside.html"),
        css_template=read("inside.css"),
        js_on_load=read("inside.js"),
        apply_default_css=False,
        words=script_words(),
        elem_id="inside",
    )


def connect(
    pipeline: Pipeline, fields: list[Any], shown: gr.HTML, run: gr.Button, stop: gr.Button
) -> None:
    """What happens on Follow and Stop."""
    walks = Walks(pipeline)
    buttons = [run, stop]
    run.click(busy, None, buttons, **SILENT)
    running = run.click(
        walks.start,
        fields,
        [shown, *buttons],
        preprocess=False,
        concurrency_id="model",
        concurrency_limit=1,
        api_visibility="private",
        show_progress="minimal",
    )
    running.then(idle, None, buttons, **SILENT)
    running.failure(idle, None, buttons, **SILENT)
    stop.click(walks.stop, None, [shown, *buttons], cancels=[running], **SILENT)


class Walks:
    """Visitors' walks through the model, one at a time each. Form values are the client's own."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._runs: Runs[list[JSON], None] = Runs()

    def start(
        self,
        request: gr.Request,
        picture: Mapping[str, Any] | None,
        task: str,
        words: str,
        crops: bool,
    ) -> Iterator[Updates]:
        """The stages that are known so far, and the buttons."""
        visitor, run = str(request.session_hash), None
        try:
            image = open_image(resolve_upload(picture))
            wish = Request(image, task, words, max_tokens=MAX_TOKENS, pan_and_scan=bool(crops))
            run = Run(lambda: walk(self._pipeline, wish), None)
            self._runs.add(visitor, run)
            for stages in run.follow():
                yield [view("running", stages), gr.skip(), gr.skip()]
            self._runs.forget(visitor, run)
            yield [view("done", run.latest), *idle()]
        except Exception as error:
            yield [view("error", run and run.latest, explain(error)[1]), *idle()]

    def stop(self, request: gr.Request) -> Updates:
        """What is known by now, within a token."""
        run = self._runs.take(str(request.session_hash))
        if run is None:
            return [gr.skip(), *idle()]
        run.join(STOP_SECONDS)
        return [view("stopped", run.latest), *idle()]


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
