"""The Video tab: every n-th frame looked at, an annotated video and a timeline of what was seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from gemma_vision.pipeline import Pipeline
from gemma_vision.web.components.example_strip import Example, load_examples
from gemma_vision.web.components.html import build_html
from gemma_vision.web.components.progress import build_progress
from gemma_vision.web.forms.form import (
    SHOWN_TASKS,
    asked,
    build_buttons,
    build_example_button,
    build_task,
    build_words,
)
from gemma_vision.web.i18n.texts import TEXTS, script_words, translate
from gemma_vision.web.jobs.events import SILENT, Updates, connect, unchanged
from gemma_vision.web.jobs.job import StreamRun
from gemma_vision.web.jobs.viewer_value import preview_file
from gemma_vision.web.tabs.image import build_drawer
from gemma_vision.web.tabs.video_run import (
    EVERY,
    LOOKED,
    MAX_EVERY,
    MAX_LOOKED,
    Reel,
    facts,
    lanes,
    thread,
    told,
)

if TYPE_CHECKING:
    from gemma_vision.video import VideoProgress

NUM_SHOWN = 7
# A name for those who listen: Gradio does not translate that of this field.
BOTH = " \u00b7 ".join(TEXTS["video"].values())


def build_video_tab(pipeline: Pipeline) -> None:
    """Lay out the tab and connect it. Call inside a gr.Tab."""
    tasks = [task for task in SHOWN_TASKS if task in pipeline.tasks]
    with gr.Row(elem_classes="gv-columns"):
        with gr.Column(scale=4, min_width=300, elem_classes="gv-form"):
            video = build_video()
            clips = load_examples("video")
            example = build_example_button("video", visible=bool(clips))
            task = build_task(tasks, tasks[0], "video-task")
            words = build_words(task, elem_id="video-words")
            run, stop = build_buttons("run", "video")
            every = gr.Slider(
                1, MAX_EVERY, EVERY, step=1, label=translate("every"), elem_id="video-every"
            )
            looked = gr.Slider(1, MAX_LOOKED, LOOKED, step=1, label=translate("looked"))
        with gr.Column(scale=7, min_width=320, elem_classes="gv-result"):
            shown = build_results()
    example.click(lambda: fill_in(pipeline, clips), None, [video, task, words, every], **SILENT)
    connect(Films(pipeline), [video, task, words, every, looked], shown, run, stop)


def fill_in(pipeline: Pipeline, clips: Sequence[Example]) -> Updates:
    """The example clip with a task and words of its own; its things move fast."""
    clip = clips[0]
    return [clip["path"], *asked(pipeline, clip["task"], clip["text"]), 3]


def build_video() -> gr.Video:
    """Upload or webcam, without sound. Its value is taken raw, as the picture's is."""
    return gr.Video(
        label=BOTH,
        show_label=False,
        sources=["upload", "webcam"],
        webcam_options=gr.WebcamOptions(
            mirror=False, constraints={"video": {"width": 1280, "height": 720}}
        ),
        include_audio=False,
        buttons=[],
        height=260,
        elem_id="video",
    )


def build_results() -> list[Any]:
    """Progress, the newest frame, the video, the lanes, the file, and the drawer with the JSON."""
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
    return [progress, newest, result, timeline, download, *build_drawer("video-json")]


class Films:
    """Videos as the page shows them: see `build_results`."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def begin(
        self, video: Mapping[str, Any] | None, task: str, words: str, every: int, looked: int
    ) -> StreamRun[VideoProgress, Reel]:
        """Look at every n-th frame, at so many of them at most."""
        reel = thread(video, task, words, every, looked)
        return StreamRun(lambda: reel.shoot(self._pipeline), reel)

    def growing(self, states: Iterator[VideoProgress | None], reel: Reel) -> Iterator[Updates]:
        """Progress, the newest frame and the lanes; they change when a frame is done."""
        yield [{"state": "running", "notes": []}, *cleared()]
        seen = 0
        for progress in states:
            if progress is None or progress.picture is None or progress.done == seen:
                yield unchanged(NUM_SHOWN)
                continue
            seen = progress.done
            newest = gr.update(value=str(preview_file(progress.picture)), visible=True)
            drawn = lanes(progress.timeline)
            yield [facts(progress, "running"), newest, gr.skip(), drawn, *unchanged(3)]

    def finished(self, progress: VideoProgress | None, reel: Reel, is_whole: bool) -> Updates:
        """The video and its timeline, up to where it was stopped."""
        video = reel.video()
        if progress is None or video is None:
            return [{"state": "stopped", "notes": []}, *cleared()]
        timeline = progress.timeline
        return [
            facts(progress, "done" if is_whole else "stopped"),
            gr.update(visible=False),
            gr.update(value=str(video), visible=True),
            lanes(timeline),
            gr.update(value=str(reel.timeline(timeline)), visible=True),
            gr.update(visible=True),
            told(timeline),
        ]

    def failed(self, sentence: str, progress: VideoProgress | None) -> Updates:
        """The sentence in the progress panel."""
        return [{"state": "error", "notes": [sentence]}, *cleared()]


def cleared() -> Updates:
    """Nothing of an earlier video is left: everything under the progress panel is hidden."""
    hidden = gr.update(value=None, visible=False)
    return [hidden, hidden, None, hidden, gr.update(visible=False), None]
