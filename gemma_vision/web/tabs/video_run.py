"""Video run: one visitor's video annotated, as the page's values. Knows the pipeline, no layout."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.request import Request
from gemma_vision.requests.validation import check_range
from gemma_vision.web.forms.form_values import FormValues
from gemma_vision.web.forms.options import read_option_fields
from gemma_vision.web.jobs.events import NamedUpdates
from gemma_vision.web.jobs.viewer_value import JSON, preview_file
from gemma_vision.web.server.uploads import resolve_upload, upload_folder

if TYPE_CHECKING:
    from gemma_vision.video import Timeline, VideoProgress

EVERY, MAX_EVERY = 10, 60  # of how many frames one is looked at
NUM_FRAMES, MAX_FRAMES = 32, 120  # frames looked at: minutes of two cores at most
MAX_TRACKS = 40  # objects drawn on the timeline; the file has them all
WITHOUT = ("mask", "polygons")  # of an instance in the timeline that is read on the page


@dataclass(frozen=True)
class VideoValues(FormValues):
    """What the form holds: one of `every` frames is looked at, `num_frames` of them at most."""

    every: Any = EVERY
    num_frames: Any = NUM_FRAMES


class VideoJob:
    """One video. Updates "progress", "newest", "result", "timeline", "download", "drawer", "json".

    What comes of it is written among the uploads.
    """

    def __init__(self, pipeline: Pipeline, form: VideoValues) -> None:
        self._pipeline = pipeline
        self._form = form
        self._num_shown = 0

    def begin(self) -> NamedUpdates:
        """Check the form and the first frame, and hide what is left of an earlier video."""
        from gemma_vision.video import Source

        form = self._form
        check_range("every", form.every, 1, MAX_EVERY, whole=True)
        check_range("frames", form.num_frames, 1, MAX_FRAMES, whole=True)
        self._source = resolve_upload(form.upload, "video")
        self._options = read_option_fields(self._pipeline.family, form.task, form.options)
        with Source(self._source) as film:
            Request(next(film.frames()).image, form.task, form.text, **self._options)
        self._target = upload_folder() / secrets.token_hex(16) / "gemma-vision.mp4"
        self._target.parent.mkdir(parents=True)
        return {"progress": {"state": "running", "notes": []}} | nothing_yet()

    def stream(self) -> Iterator[VideoProgress]:
        """Look at every n-th frame."""
        from gemma_vision.video import annotate

        form = self._form
        request = {"task": form.task, "text": form.text, **self._options}
        limits = {"every": form.every, "limit": form.num_frames}
        return annotate(self._pipeline, self._source, self._target, **request, **limits)

    def updates(self, progress: VideoProgress | None) -> NamedUpdates:
        """Progress, the newest frame and the tracks; they change when a frame is done."""
        if progress is None or progress.picture is None or progress.done == self._num_shown:
            return {}
        self._num_shown = progress.done
        return {
            "progress": progress_value(progress, "running"),
            "newest": gr.update(value=str(preview_file(progress.picture)), visible=True),
            "timeline": tracks(progress.timeline),
        }

    def finished(self, progress: VideoProgress | None, is_whole: bool) -> NamedUpdates:
        """The video and its timeline, up to where it was stopped."""
        if progress is None or not self._target.is_file():
            return {"progress": {"state": "stopped", "notes": []}} | nothing_yet()
        timeline = progress.timeline
        return {
            "progress": progress_value(progress, "done" if is_whole else "stopped"),
            "newest": gr.update(visible=False),
            "result": gr.update(value=str(self._target), visible=True),
            "timeline": tracks(timeline),
            "download": gr.update(value=str(self._write_timeline(timeline)), visible=True),
            "drawer": gr.update(visible=True),
            "json": without_masks(timeline),
        }

    def failed(self, sentence: str, progress: VideoProgress | None) -> NamedUpdates:
        """The sentence in the progress panel."""
        return {"progress": {"state": "error", "notes": [sentence]}} | nothing_yet()

    def _write_timeline(self, timeline: Timeline) -> Path:
        path = self._target.with_name("timeline.json")
        path.write_text(json.dumps(timeline.to_dict(), ensure_ascii=False), "utf-8")
        return path


def nothing_yet() -> JSON:
    """Nothing of an earlier video is left: everything under the progress panel is hidden."""
    hidden = gr.update(value=None, visible=False)
    drawer = gr.update(visible=False)
    files = {"newest": hidden, "result": hidden, "download": hidden}
    return files | {"timeline": None, "drawer": drawer, "json": None}


def progress_value(progress: VideoProgress, state: str) -> JSON:
    """The progress panel's value."""
    timeline = progress.timeline
    value: JSON = {
        "state": state,
        "notes": [warning["message"] for warning in timeline.warnings],
        "done": progress.done,
        "total": progress.total,
        "objects": len(timeline.objects),
    }
    if state == "running" and progress.left is not None:
        value["left"] = round(progress.left)
    if state == "done" and timeline.finish == "limit":
        value["also"] = "video_limit"
        value["seconds"] = f"{timeline.seconds:.1f}"
    return value


def tracks(timeline: Timeline) -> JSON:
    """When each object was seen, for the drawing: {"seconds", "objects", "more"}.

    Every object has its spans in seconds, [[from, to], ...]: what is seen counts until the next
    frame that is looked at.
    """
    starts = [row["time"] for row in timeline.samples]
    ends = [*starts[1:], timeline.seconds]
    spans: dict[int, list[list[float]]] = {}
    for row, begin, end in zip(timeline.samples, starts, ends, strict=True):
        for one in row["instances"]:
            extend(spans.setdefault(one["id"], []), begin, max(begin, end))
    colors = timeline.colors
    rows = [
        {
            "id": row["id"],
            "label": row["label"],
            "color": "#{:02x}{:02x}{:02x}".format(*colors[row["label"]]),
            "spans": spans[row["id"]],
        }
        for row in timeline.objects.values()
    ]
    more = max(0, len(rows) - MAX_TRACKS)
    return {"seconds": timeline.seconds, "objects": rows[:MAX_TRACKS], "more": more}


def extend(spans: list[list[float]], begin: float, end: float) -> None:
    """Add a span, or make the last one longer where it goes on."""
    if spans and spans[-1][1] >= begin:
        spans[-1][1] = end
    else:
        spans.append([begin, end])


def without_masks(timeline: Timeline) -> JSON:
    """The timeline for reading: without masks and outlines, which the file has."""
    whole = timeline.to_dict()
    frames = [
        frame
        | {
            "instances": [
                {key: value for key, value in one.items() if key not in WITHOUT}
                for one in frame["instances"]
            ]
        }
        for frame in whole["frames"]
    ]
    return whole | {"frames": frames}
