"""Video: the verb that looks at a video and writes it again with what was found."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from gemma_vision.cli.limits import check_number
from gemma_vision.cli.option_arguments import given_options
from gemma_vision.cli.pictures import check_supported, load
from gemma_vision.cli.progress import ProgressLine
from gemma_vision.cli.writing import print_json, print_message
from gemma_vision.requests.request import Request
from gemma_vision.video import Source, annotate
from gemma_vision.video.annotating import MAX_EVERY, MAX_FRAMES
from postprocess.command_parser import UsageError


def run(options: argparse.Namespace) -> int:
    """Write the video, print its timeline as one JSON object and give 0.

    Interrupted, both are there up to that moment.
    """
    check_number(options, "every", 1, MAX_EVERY)
    check_number(options, "limit", 1, MAX_FRAMES)
    source, target = Path(options.source), Path(options.target)
    if target.suffix.lower() != ".mp4":
        raise UsageError(f"{target} is to be an MP4; name it {target.with_suffix('.mp4')}.")
    asked: dict[str, Any] = {"task": options.task, "text": options.text}
    asked |= given_options(options.task, options)
    with Source(source) as film:  # whatever is wrong shows before a model is loaded
        check_supported(options, Request(next(film.frames()).image, **asked))
    steps = annotate(
        load(options), source, target, every=options.every, limit=options.limit, **asked
    )
    progress, timeline, done = ProgressLine("frames"), None, 0
    try:
        for step in steps:
            timeline = step.timeline
            if step.done > done:
                progress.update(done := step.done, step.total)
    finally:
        steps.close()
        progress.end()
        if timeline is not None and timeline.num_frames:
            print_json(timeline.to_dict())
            print_message(f"wrote {target}")
    return 0
