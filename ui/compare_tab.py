"""The Compare tab: one picture and one task, two sides, and where they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr

from gemma_vision.images import open_image
from gemma_vision.pipeline import Pipeline
from gemma_vision.tasks import Request
from ui.comparing import Pair, Shelf, Side, compare, differences, marked, summary
from ui.example_strip import load_examples
from ui.image_tab import SHOWN_TASKS, SILENT, Updates, busy, idle, words_of
from ui.refusals import explain
from ui.results import Showing
from ui.running import Run, Runs
from ui.texts import say, script_words
from ui.uploads import resolve_upload
from ui.viewer import build_viewer, read

SIDES = ("left", "right")
WARM = 0.7  # the right side's temperature at first, so that there is something to compare
STOP_SECONDS = 20.0


def build_compare_tab(pipeline: Pipeline) -> None:
    """Lay out the tab and connect it. Call inside a gr.Tab."""
    shelf = Shelf(pipeline)
    tasks = [task for task in SHOWN_TASKS if task in pipeline.tasks]
    example = next((row for row in load_examples() if row["task"] in tasks), None)
    first = example["task"] if example else tasks[0]
    with gr.Row(elem_classes="gv-compare-form"):
        with gr.Column(scale=4, min_width=280):
            picture = build_picture(example["path"] if example else None)
        with gr.Column(scale=5, min_width=300):
            task = gr.Radio(
                [(say(name), name) for name in tasks],
                value=first,
                label=say("task"),
                show_label=False,
                container=False,
                elem_id="compare-task",
                elem_classes="gv-pills",
            )
            with gr.Row():
                sides = [build_side(shelf, side, first, example) for side in SIDES]
            with gr.Row(elem_classes="gv-buttons"):
                run = gr.Button(say("compare"), variant="primary", elem_id="compare-run", scale=3)
                stop = gr.Button(say("stop"), interactive=False, elem_id="compare-stop", scale=1)
    told = build_differences()
    with gr.Row(elem_classes="gv-compare-result"):
        viewers = []
        for side in SIDES:
            with gr.Column(min_width=300):
                viewers.append(build_viewer(elem_id=f"compare-{side}"))
    words = [side[1] for side in sides]
    task.input(lambda name: [gr.update(**words_of(name))] * 2, task, words, **SILENT)
    fields = [picture, task, *sides[0], *sides[1]]
    connect(Comparer(shelf), fields, [told, *viewers], run, stop)


def build_picture(path: str | None) -> gr.Image:
    """The picture that both sides see; an example is there from the start."""
    return gr.Image(
        path,
        label=say("picture"),
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard"],
        buttons=[],
        height=260,
        elem_id="compare-picture",
    )


def build_side(shelf: Shelf, side: str, task: str, example: dict[str, str] | None) -> list[Any]:
    """A side's own fields: checkpoint, words, temperature, seed."""
    names, text = shelf.names(), (example or {}).get("text", "")
    with gr.Column(min_width=220):
        model = gr.Dropdown(
            names, value=names[0], label=say(f"model_{side}"), elem_id=f"compare-model-{side}"
        )
        words = gr.Textbox(
            value=text, elem_id=f"compare-words-{side}", max_lines=3, **words_of(task)
        )
        warmth = WARM if side == "right" else 0
        temperature = gr.Slider(0, 1.5, warmth, step=0.05, label=say("temperature"))
        seed = gr.Number(0, label=say("seed"), precision=0, minimum=0)
    return [model, words, temperature, seed]


def build_differences() -> gr.HTML:
    """In what the answers differ; the script writes texts as texts."""
    return gr.HTML(
        None,
        html_template=read("compare.html"),
        css_template=read("compare.css"),
        js_on_load=read("compare.js"),
        apply_default_css=False,
        words=script_words(),
        elem_id="compare-told",
    )


def connect(
    comparer: Comparer, fields: list[Any], shown: list[Any], run: gr.Button, stop: gr.Button
) -> None:
    """What happens on Compare and Stop."""
    buttons = [run, stop]
    run.click(busy, None, buttons, **SILENT)
    running = run.click(
        comparer.start,
        fields,
        shown + buttons,
        preprocess=False,
        concurrency_id="model",
        concurrency_limit=1,
        api_visibility="private",
        show_progress="minimal",
        show_progress_on=shown[:1],
    )
    running.then(idle, None, buttons, **SILENT)
    running.failure(idle, None, buttons, **SILENT)
    stop.click(comparer.stop, None, shown + buttons, cancels=[running], **SILENT)


class Comparer:
    """Visitors' comparisons, one at a time each. The values of the form are the client's own."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._runs: Runs[Pair, list[Showing]] = Runs()

    def start(
        self, request: gr.Request, picture: Mapping[str, Any] | None, task: str, *values: Any
    ) -> Iterator[Updates]:
        """The differences, both viewers and the buttons, until both answers are whole."""
        visitor = str(request.session_hash)
        try:
            original = resolve_upload(picture)
            image = open_image(original)
            sides = [read_side(image, task, *values[at : at + 4]) for at in (0, 4)]
            shown = [Showing(image, original=original, task=task, limit=256) for _ in SIDES]
            run = Run(lambda: compare(self._shelf, *sides), shown)
            self._runs.add(visitor, run)
            for pair in run.follow():
                yield [*growing(pair or Pair(), shown), gr.skip(), gr.skip()]
            self._runs.forget(visitor, run)
            yield [*finished(run.latest, shown), *idle()]
        except Exception as error:
            yield [{"note": explain(error)[1]}, gr.skip(), gr.skip(), *idle()]

    def stop(self, request: gr.Request) -> Updates:
        """What is there, within a token."""
        run = self._runs.take(str(request.session_hash))
        if run is None:
            return [*[gr.skip()] * 3, *idle()]
        run.join(STOP_SECONDS)
        return [*finished(run.latest, run.about), *idle()]


def read_side(image: Any, task: str, model: str, words: str, temperature: float, seed: int) -> Side:
    """A side as the client sent it."""
    return Side(model, Request(image, task, words, temperature=temperature, seed=seed))


def growing(pair: Pair, shown: list[Showing]) -> Updates:
    """Differences and viewers while the answers grow."""
    answers = (pair.left, pair.right)
    views = [marked(one, answer, "running", []) for one, answer in zip(shown, answers, strict=True)]
    return [{"state": "running"}, *views]


def finished(pair: Pair | None, shown: list[Showing]) -> Updates:
    """Differences and viewers at the end; nothing is compared that was stopped."""
    pair = pair or Pair()
    answers = (pair.left, pair.right)
    found = differences(pair) if pair.is_over else None
    views = [
        marked(one, answer, "done" if found else "stopped", found[side] if found else [])
        for one, answer, side in zip(shown, answers, SIDES, strict=True)
    ]
    return [summary(found) if found else {"state": "stopped"}, *views]
