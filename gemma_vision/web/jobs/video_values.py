"""Video values: how far a video is and what was seen in it, as the page's components take it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_vision.web.jobs.viewer_value import JSON, note_of

if TYPE_CHECKING:
    from gemma_vision.video import Timeline, VideoProgress

MAX_TRACKS = 40  # objects drawn on the timeline; the file has them all
WITHOUT = ("mask", "polygons")  # of an instance in the timeline that is read on the page


def progress_value(progress: VideoProgress, state: str) -> JSON:
    """The progress panel's value."""
    timeline = progress.timeline
    value: JSON = {
        "state": state,
        "notes": [note_of(warning) for warning in timeline.warnings],
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
