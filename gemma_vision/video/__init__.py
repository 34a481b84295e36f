"""Video: frames in, annotated frames out, and a timeline of what was seen.

from gemma_vision.video import annotate
for progress in annotate(pipeline, "in.mp4", "out.mp4", "detect", "cat", every=10):
    print(progress.done, "of", progress.total)
progress.timeline.to_dict()
"""

from gemma_vision.extras import require

require("video")  # a sentence, before a module is missed

from gemma_vision.video.annotating import VideoProgress, annotate
from gemma_vision.video.plan import Plan, plan_looks
from gemma_vision.video.source import Frame, Source, VideoError
from gemma_vision.video.timeline import Timeline
from gemma_vision.video.writer import Writer

__all__ = [
    "Frame",
    "Plan",
    "Source",
    "Timeline",
    "VideoError",
    "VideoProgress",
    "Writer",
    "annotate",
    "plan_looks",
]
