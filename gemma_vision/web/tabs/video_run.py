"""Video run: one visitor's video annotated, as the page's values. Knows the pipeline, no layout."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.request import Request
from gemma_vision.requests.tasks import TASKS
from gemma_vision.requests.validation import check_range
from gemma_vision.web.forms.answer_panel import cleared_panel, panel_values
from gemma_vision.web.forms.form_values import FormValues
from gemma_vision.web.forms.options import read_option_fields
from gemma_vision.web.jobs.events import NamedUpdates
from gemma_vision.web.jobs.image_answer import ImageAnswer, asked_of, changed_options
from gemma_vision.web.jobs.result_gallery import GalleryPage, ResultGallery
from gemma_vision.web.jobs.video_values import progress_value, tracks, without_masks
from gemma_vision.web.jobs.viewer_value import JSON, ViewerState, preview_file
from gemma_vision.web.jobs.visitor_answers import VisitorAnswer, picture_name
from gemma_vision.web.server.uploads import resolve_upload, upload_folder

if TYPE_CHECKING:
    from gemma_vision.video import Frame, Plan, Timeline, VideoProgress

EVERY, MAX_EVERY = 10, 60  # of how many frames one is looked at
NUM_FRAMES, MAX_FRAMES = 32, 120  # frames looked at: minutes of two cores at most


@dataclass(frozen=True)
class VideoValues(FormValues):
    """What the form holds: one of `every` frames is looked at, `num_frames` of them at most.

    may_cut: the video may end where that many were looked at; else it is looked at less often.
    """

    every: Any = EVERY
    num_frames: Any = NUM_FRAMES
    may_cut: Any = False

    def plan(self) -> tuple[Path, Plan]:
        """The video's file, and which of its frames are looked at; raises what is wrong with it."""
        from gemma_vision.video import Source, plan_looks

        check_range("every", self.every, 1, MAX_EVERY, whole=True)
        check_range("frames", self.num_frames, 1, MAX_FRAMES, whole=True)
        path = resolve_upload(self.upload, "video")
        with Source(path) as film:
            may_cut = self.may_cut is True
            return path, plan_looks(film, self.every, self.num_frames, may_cut=may_cut)


class VideoJob:
    """One video. Updates "progress", "result", "timeline", "download", "gallery", "drawer", "json"
    and the parts of the frame's answer panel, which begin with "frame_".

    What comes of it is written among the uploads. results: where the frames that were looked at go,
    from where a visitor opens them; store: takes the one that is shown, None where there is none.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        form: VideoValues,
        results: ResultGallery | None = None,
        store: Callable[[VisitorAnswer | None], None] = lambda result: None,
    ) -> None:
        self._pipeline = pipeline
        self._form = form
        self._results = ResultGallery() if results is None else results
        self._store = store
        self._num_shown = 0
        self._frame: Frame | None = None  # that is looked at now, in its viewer
        self._viewer: ViewerState | None = None

    def begin(self) -> NamedUpdates:
        """Check the form and the first frame, and hide what is left of an earlier video."""
        from gemma_vision.video import Source

        form = self._form
        self._store(None)
        self._source, self._plan = form.plan()
        self._options = read_option_fields(self._pipeline.family, form.task, form.options)
        with Source(self._source) as film:
            image = next(film.frames()).image
        self._wanted = Request(image, form.task, form.text, **self._options)
        self._first = ImageAnswer(self._pipeline, self._wanted, ViewerState(image))
        self._target = upload_folder() / secrets.token_hex(16) / "gemma-vision.mp4"
        self._target.parent.mkdir(parents=True)
        view = {"frame_viewer": self._first.running(None)}
        if self._first.request is None:
            return nothing_yet() | view
        return {"progress": {"state": "running", "notes": []}} | nothing_yet() | view

    def stream(self) -> Iterator[VideoProgress]:
        """Look at every n-th frame; at none where the checkpoint knows none of the names."""
        from gemma_vision.video import annotate

        if self._first.request is None:
            return
        form = self._form
        request: JSON = {"task": form.task, "text": form.text, **self._options}
        request |= {"every": self._plan.every, "limit": self._plan.looks}
        for progress in annotate(self._pipeline, self._source, self._target, **request):
            if progress.done > len(self._results.pages):
                self._results.pages.append(self._page(progress))
            yield progress

    def updates(self, progress: VideoProgress | None) -> NamedUpdates:
        """The frame that is looked at, unless somebody opened another; progress, gallery and tracks
        when a frame is done.
        """
        if progress is None or progress.frame is None:
            return {}
        shown: JSON = {}
        if self._results.opened is None and progress.answer is not None:
            shown["frame_viewer"] = self._show(progress)
        if progress.done == self._num_shown:
            return shown
        self._num_shown = progress.done
        return {
            "progress": progress_value(progress, "running"),
            "gallery": self._gallery(),
            "timeline": tracks(progress.timeline),
            **shown,
        }

    def finished(self, progress: VideoProgress | None, is_whole: bool) -> NamedUpdates:
        """The video and its timeline, up to where it was stopped."""
        if self._first.request is None:
            return nothing_yet() | {"progress": None, "frame_viewer": self._first.running(None)}
        if progress is None or not self._target.is_file():
            return {"progress": {"state": "stopped", "notes": []}} | nothing_yet()
        timeline = progress.timeline
        return {
            "progress": progress_value(progress, self._ending(is_whole)),
            "result": gr.update(value=str(self._target), visible=True),
            "timeline": tracks(timeline),
            "gallery": self._gallery(),
            "download": gr.update(value=str(self._write_timeline(timeline)), visible=True),
            "drawer": gr.update(visible=True),
            "json": without_masks(timeline),
            **self._open_first(),
        }

    def failed(self, sentence: str, progress: VideoProgress | None) -> NamedUpdates:
        """The sentence in the progress panel."""
        return {"progress": {"state": "error", "notes": [sentence]}} | nothing_yet()

    def _ending(self, is_whole: bool) -> str:
        """The state of a video that is over; one of which nothing came is not done but says so."""
        if not is_whole:
            return "stopped"
        if any(page.view["status"]["state"] != "empty" for page in self._results.pages):
            return "done"
        is_naming = TASKS[self._wanted.task].names_things
        return "empty" if is_naming or self._results.has_words else "blank"

    def _open_first(self) -> JSON:
        """The first frame on which something was found, where nobody has opened another."""
        pages = self._results.pages
        if self._results.opened is not None or not pages:
            return {}
        page = next((one for one in pages if one.view["status"]["state"] != "empty"), pages[0])
        self._store(page.result)
        return frame_values(page)

    def _gallery(self) -> JSON:
        return gr.update(value=self._results.entries(), visible=bool(self._results.pages))

    def _show(self, progress: VideoProgress) -> JSON:
        """The viewer's value of the frame that is looked at: one viewer for each."""
        if self._viewer is None or self._frame is not progress.frame:
            self._frame, self._viewer = progress.frame, self._new_viewer(progress)
        assert progress.answer is not None, "a frame is shown with its answer"
        return self._viewer.view(progress.answer.to_dict(), "running")

    def _new_viewer(self, progress: VideoProgress) -> ViewerState:
        frame, answer, wanted = progress.frame, progress.answer, self._wanted
        assert frame is not None and answer is not None
        reading = answer.request.reading if answer.request else None
        asked = asked_of(self._pipeline, wanted, reading)
        task, limit = str(wanted.task), wanted.max_tokens
        return ViewerState(frame.image, task=task, limit=limit, asked=asked)

    def _page(self, progress: VideoProgress) -> GalleryPage:
        """The frame that was just looked at."""
        frame, answer, drawn = progress.frame, progress.answer, progress.picture
        assert frame is not None and answer is not None and drawn is not None
        bare, wanted = preview_file(frame.image), self._wanted
        stem = Path(picture_name(self._form.upload, self._source)).stem
        result = VisitorAnswer(
            answer.to_dict(),
            bare,
            f"{stem}-{frame.number}.jpg",
            model=self._pipeline.name,
            task=str(wanted.task),
            text=wanted.text,
            options=changed_options(wanted),
        )
        words = answer.plain.strip() or len(answer.instances)
        viewer = self._new_viewer(progress)
        viewer.original = bare
        view = viewer.view(answer.to_dict(), "done")
        return GalleryPage(
            preview_file(drawn), f"{frame.time:.1f} s: {words}", view, result, frame.time
        )

    def _write_timeline(self, timeline: Timeline) -> Path:
        path = self._target.with_name("timeline.json")
        path.write_text(json.dumps(timeline.to_dict(), ensure_ascii=False), "utf-8")
        return path


def plan_value(form: VideoValues) -> JSON | None:
    """What will be looked at, for the line under the form; nothing before there is a video."""
    if not form.upload:
        return None
    _, plan = form.plan()
    say = "plan_cut" if plan.is_cut else "plan_whole"
    return {
        "state": "ready",
        "say": f"{say}_one" if plan.looks == 1 else say,
        "notes": [],
        "looks": plan.looks,
        "gap": f"{plan.gap:.2g}" if plan.gap < 10 else f"{plan.gap:.0f}",
        "seen": f"{plan.end:.1f}",
        "seconds": f"{plan.seconds:.1f}",
    }


def frame_values(page: GalleryPage) -> JSON:
    """The frame's answer panel."""
    values = panel_values(page.view, page.result)
    return {f"frame_{name}": value for name, value in values.items()}


def nothing_yet() -> JSON:
    """Nothing of an earlier video is left: everything under the progress panel is hidden."""
    hidden = gr.update(value=None, visible=False)
    drawer = gr.update(visible=False)
    files = {"result": hidden, "gallery": hidden, "download": hidden}
    frame = {f"frame_{name}": value for name, value in cleared_panel().items()}
    return files | {"timeline": None, "drawer": drawer, "json": None} | frame
