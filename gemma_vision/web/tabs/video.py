"""The Video tab: every n-th frame looked at, an annotated video and a timeline of what was seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from gemma_vision.web.components.example_strip import Example, load_examples
from gemma_vision.web.components.html import build_html
from gemma_vision.web.components.progress import build_progress
from gemma_vision.web.forms.fields import (
    build_buttons,
    build_example_button,
    build_json_drawer,
    build_settings,
    webcam,
)
from gemma_vision.web.forms.form_values import read_form
from gemma_vision.web.forms.options import SETTINGS
from gemma_vision.web.forms.tab import TaskTab
from gemma_vision.web.forms.task_form import TaskForm
from gemma_vision.web.i18n.texts import TEXTS, script_words, translate
from gemma_vision.web.jobs.events import SILENT, Updates, connect
from gemma_vision.web.tabs.video_run import (
    EVERY,
    MAX_EVERY,
    MAX_FRAMES,
    NUM_FRAMES,
    VideoJob,
    VideoValues,
)

EXAMPLE_EVERY = 3  # things of the example clip move fast
# A name for those who listen: Gradio does not translate that of this field.
BOTH = " \u00b7 ".join(TEXTS["video"].values())


class VideoTab(TaskTab):
    """One video, one request for some of its frames."""

    name = "video"

    def make_job(self, values: Mapping[str, Any], visitor: str) -> VideoJob:
        """The job that the form asks for."""
        return VideoJob(self.pipeline, read_form(VideoValues, values))

    def build(self) -> None:
        """Lay out the tab and connect it."""
        self.form = form = TaskForm(self.pipeline, "video")
        clips = load_examples("video")
        with gr.Row(elem_classes="gv-columns"):
            with gr.Column(scale=4, min_width=300, elem_classes="gv-form"):
                upload = build_upload()
                example = build_example_button("video", visible=bool(clips))
                form.build_task()
                form.build_options()
                run, stop = build_buttons("run", "video")
                frames = build_frames()
                with build_settings():
                    form.build_options(SETTINGS)
            with gr.Column(scale=7, min_width=320, elem_classes="gv-result"):
                outputs = build_results() | {"run": run, "stop": stop}
        fields = {"upload": upload, **frames, **form.fields}
        connect(self.runner, [run.click], fields, outputs)
        form.connect()
        connect_example(example, fields, form, clips)


def connect_example(
    button: gr.Button, fields: Mapping[str, Component], form: TaskForm, clips: list[Example]
) -> None:
    """The example clip with a task and words of its own."""
    upload, every = fields["upload"], fields["every"]

    def fill() -> Updates:
        clip = clips[0]
        own = {upload: clip["path"], every: EXAMPLE_EVERY}
        return own | form.fill(clip["task"], clip["text"])

    button.click(fill, None, [upload, every, *form.filled], **SILENT)


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
    """Which frames are looked at, and how many at most."""
    every = gr.Slider(1, MAX_EVERY, EVERY, step=1, label=translate("every"), elem_id="video-every")
    most = gr.Slider(1, MAX_FRAMES, NUM_FRAMES, step=1, label=translate("looked"))
    return {"every": every, "num_frames": most}


def build_results() -> dict[str, Block]:
    """Progress, the newest frame, the video, its tracks, the file, and the drawer with the JSON."""
    progress = build_progress("video")
    newest = gr.Image(
        label=translate("newest"),
        type="filepath",
        interactive=False,
        visible=False,
        buttons=[],
        elem_id="video-newest",
    )
    result = gr.Video(
        label=translate("results"), interactive=False, visible=False, elem_id="video-result"
    )
    timeline = build_html("timeline", words=script_words(), elem_id="video-timeline")
    download = gr.DownloadButton(translate("timeline"), visible=False, elem_id="video-download")
    drawer, data = build_json_drawer("video-json")
    return {
        "progress": progress,
        "newest": newest,
        "result": result,
        "timeline": timeline,
        "download": download,
        "drawer": drawer,
        "json": data,
    }
