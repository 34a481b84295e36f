"""Filming: one visitor's video looked at, as the page's values. Knows the pipeline, no layout."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.request import Request
from gemma_vision.requests.validation import check_range
from gemma_vision.web.jobs.viewer_value import JSON
from gemma_vision.web.server.uploads import resolve_upload, upload_folder

if TYPE_CHECKING:
    from gemma_vision.video import Timeline, VideoProgress

EVERY, MAX_EVERY = 10, 60  # of how many frames one is looked at
LOOKED, MAX_LOOKED = 32, 120  # frames looked at: minutes of two cores at most
MAX_LANES = 40  # objects drawn on the timeline; the file has them all


@dataclass(frozen=True)
class Reel:
    """One visitor's video and where what comes of it is written, among the uploads."""

    source: Path
    target: Path
    wish: Mapping[str, Any]

    def shoot(self, pipeline: Pipeline) -> Iterator[VideoProgress]:
        """Look at it."""
        from gemma_vision.video import annotate

        return annotate(pipeline, self.source, self.target, **self.wish)

    def video(self) -> Path | None:
        """The annotated video, if a frame of it was written."""
        return self.target if self.target.is_file() else None

    def timeline(self, timeline: Timeline) -> Path:
        """The timeline's file."""
        path = self.target.with_name("timeline.json")
        path.write_text(json.dumps(timeline.to_dict(), ensure_ascii=False), "utf-8")
        return path


def thread(
    video: str | Mapping[str, Any] | None, task: str, words: str, every: int, looked: int
) -> Reel:
    """A reel for what the form holds, which is the client's own.

    What is wrong with the file or the wish raises here, before anybody waits for the model.
    """
    from gemma_vision.video import Source

    check_range("every", every, 1, MAX_EVERY, whole=True)
    check_range("frames", looked, 1, MAX_LOOKED, whole=True)
    path = resolve_upload(video, "video")
    with Source(path) as film:
        Request(next(film.frames()).image, task, words)  # type: ignore[arg-type]
    target = upload_folder() / secrets.token_hex(16) / "gemma-vision.mp4"
    target.parent.mkdir(parents=True)
    return Reel(path, target, {"task": task, "text": words, "every": every, "limit": looked})


def facts(progress: VideoProgress, state: str) -> JSON:
    """The progress panel's value."""
    timeline = progress.timeline
    value: JSON = {
        "state": state,
        "notes": [],
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


def lanes(timeline: Timeline) -> JSON:
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
    more = max(0, len(rows) - MAX_LANES)
    return {"seconds": timeline.seconds, "objects": rows[:MAX_LANES], "more": more}


def extend(spans: list[list[float]], begin: float, end: float) -> None:
    """Add a span, or make the last one longer where it goes on."""
    if spans and spans[-1][1] >= begin:
        spans[-1][1] = end
    else:
        spans.append([begin, end])


def told(timeline: Timeline) -> JSON:
    """The timeline for reading: without masks and outlines, which the file has."""
    whole = timeline.to_dict()
    left_out = ("mask", "polygons")
    frames = [
        frame
        | {
            "instances": [
                {key: value for key, value in one.items() if key not in left_out}
                for one in frame["instances"]
            ]
        }
        for frame in whole["frames"]
    ]
    return whole | {"frames": frames}
