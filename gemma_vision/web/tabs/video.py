"""The Video tab: every n-th frame looked at, an annotated video, each look open in the viewer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from gemma_vision.pipeline import Pipeline
from gemma_vision.web.components.example_strip import Example, build_strip, load_examples
from gemma_vision.web.components.html import build_html
from gemma_vision.web.components.progress import build_progress
from gemma_vision.web.forms.answer_panel import Parts, build_answer_panel, connect_answer_panel
from gemma_vision.web.forms.asking import (
    LATEST,
    connect_changes,
    connect_examples,
    connect_guidance,
    tell_asked,
)
from gemma_vision.web.forms.fields import (
    build_buttons,
    build_json_drawer,
    build_settings,
    webcam,
)
from gemma_vision.web.forms.form_values import read_form
from gemma_vision.web.forms.gallery import build_gallery, connect_gallery
from gemma_vision.web.forms.options import SETTINGS
from gemma_vision.web.forms.tab import TaskTab
from gemma_vision.web.forms.task_form import TaskForm
from gemma_vision.web.i18n.texts import TEXTS, script_words, translate
from gemma_vision.web.jobs.events import SILENT, Updates, connect
from gemma_vision.web.jobs.job import MANY_SECONDS
from gemma_vision.web.jobs.result_gallery import VisitorGalleries
from gemma_vision.web.jobs.viewer_value import JSON
from gemma_vision.web.server.errors import to_note
from gemma_vision.web.tabs.video_run import (
    EVERY,
    MAX_EVERY,
    MAX_FRAMES,
    NUM_FRAMES,
    VideoJob,
    VideoValues,
    plan_value,
)

EXAMPLE_EVERY = 3  # things of the example clip move fast
FRAME = "frame_"  # begins the names of the panel of one frame
# A name for those who listen: Gradio does not translate that of this field.
BOTH = " \u00b7 ".join(TEXTS["video"].values())


class VideoTab(TaskTab):
    """One video, one request for some of its frames."""

    name = "video"
    seconds = MANY_SECONDS

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__(pipeline)
        self._galleries = VisitorGalleries()

    def make_job(self, values: Mapping[str, Any], visitor: str) -> VideoJob:
        """The job that the form asks for."""
        results, store = self._galleries.start(visitor), partial(self.results.put, visitor)
        return VideoJob(self.pipeline, read_form(VideoValues, values), results, store)

    def leave(self, visitor: str) -> None:
        """As every tab, and nothing is left of the gallery."""
        super().leave(visitor)
        self._galleries.forget(visitor)

    def build(self) -> None:
        """Lay out the tab and connect it."""
        self.form = form = TaskForm(self.pipeline, self.name)
        clips = load_examples("video")
        with gr.Row(elem_classes="gv-columns"):
            with gr.Column(scale=4, min_width=300, elem_classes="gv-form"):
                upload = build_upload()
                form.build_task()
                form.build_options()
                run, stop = build_buttons("run", self.name)
                frames = build_frames()
                plan = build_progress("plan")
                with build_settings():
                    form.build_options(SETTINGS)
            with gr.Column(scale=7, min_width=320, elem_classes="gv-result"):
                results, panel = build_results()
            self.strip = build_strip(clips, form.tasks, self.name, names=self.pipeline.names)
        self._filled = {"upload": upload, "every": frames["every"]}
        fields, wish = {"upload": upload, **frames, **form.fields}, gr.State(0)
        named = {f"{FRAME}{name}": part for name, part in panel.items()}
        outputs = results | named | {"run": run, "stop": stop}
        starts = [run.click, wish.change]
        connect(self.runner, starts, fields, outputs, js=tell_asked(self.name), **LATEST)
        connect_changes(fields, self.name)
        connect_plan({"upload": upload, **frames}, plan)
        connect_answer_panel(panel, self.results, lambda: self.pipeline.decoder)
        connect_gallery(
            results["gallery"], self._galleries, self.results, panel, results["timeline"]
        )
        form.connect()
        filled = [*self._filled.values(), *form.filled]
        connect_examples(self.strip, clips, wish, self._fill, filled)
        connect_guidance(panel["viewer"], form.fields, form.fill, form.filled, wish)

    def _fill(self, clip: Example) -> Updates:
        """The example clip with a task and words of its own."""
        updates = self.form.fill(clip["task"], clip["text"])
        own = {self._filled["upload"]: clip["path"], self._filled["every"]: EXAMPLE_EVERY}
        return updates and updates | own


def connect_plan(fields: Mapping[str, Component], plan: gr.HTML) -> None:
    """Say what will be looked at as soon as there is a video, and what is wrong with it."""

    def tell(*values: Any) -> JSON | None:
        try:
            return plan_value(VideoValues(**dict(zip(fields, values, strict=True))))
        except Exception as error:
            return {"state": "error", "notes": [to_note(error)]}

    changes: list[Any] = [field.change for field in fields.values()]  # type: ignore[attr-defined]
    gr.on(changes, tell, list(fields.values()), [plan], preprocess=False, **SILENT)


def build_upload() -> gr.Video:
    """Upload or webcam, without sound. Its value is taken raw, as the picture's is."""
    return gr.Video(
        label=BOTH,
        show_label=False,
        sources=["upload", "webcam"],
        webcam_options=webcam(1280, 720),
        include_audio=False,
        buttons=[],
        height=260,
        elem_id="video",
    )


def build_frames() -> dict[str, Component]:
    """Which frames are looked at, how many at most, and whether the video may end there."""
    every = gr.Slider(1, MAX_EVERY, EVERY, step=1, label=translate("every"), elem_id="video-every")
    most = gr.Slider(1, MAX_FRAMES, NUM_FRAMES, step=1, label=translate("looked"))
    may_cut = gr.Checkbox(False, label=translate("may_cut"), elem_id="video-cut")
    return {"every": every, "num_frames": most, "may_cut": may_cut}


def build_results() -> tuple[Parts, Parts]:
    """How far it is, the video, its tracks, the frames that were looked at, the file and its JSON;
    and the panel of one frame.
    """
    results: dict[str, Block] = {
        "progress": build_progress("video"),
        "result": gr.Video(
            label=translate("results"), interactive=False, visible=False, elem_id="video-result"
        ),
        "timeline": build_html("timeline", words=script_words(), elem_id="video-timeline"),
        "gallery": build_gallery("video-gallery", "gallery_frames"),
    }
    panel = build_answer_panel("video-frame", follows="video", empty="video_empty")
    results["download"] = gr.DownloadButton(
        translate("timeline"), visible=False, elem_id="video-download"
    )
    results["drawer"], results["json"] = build_json_drawer("video-json", "timeline_json")
    return results, panel
