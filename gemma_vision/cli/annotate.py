"""Annotate: the verb that makes a data set of a folder full of pictures."""

from __future__ import annotations

import argparse
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import gemma_vision
from gemma_vision.annotate.executors import Executor, LoopExecutor, ProcessExecutor
from gemma_vision.annotate.model_fingerprint import folders_of
from gemma_vision.annotate.plan import AnnotationPlan
from gemma_vision.annotate.run import AnnotationRun
from gemma_vision.annotate.sources import PictureSource
from gemma_vision.checkpoints.lazy_mask_decoder import LazyMaskDecoder, lazy_decoder
from gemma_vision.checkpoints.mask_decoder_files import decoder_of
from gemma_vision.cli.limits import check_number
from gemma_vision.cli.option_arguments import given_options
from gemma_vision.cli.pictures import check_supported, fingerprint_for, runs_named
from gemma_vision.cli.progress import ProgressLine
from gemma_vision.cli.saving import check_kinds
from gemma_vision.cli.writing import complain, print_json, print_message
from gemma_vision.registry.engines import LOCAL
from gemma_vision.registry.loading import called, folder_of
from gemma_vision.requests.tasks import TASKS
from gemma_vision.runtime.remote.ray_cluster import SCHEME
from postprocess.command_parser import UsageError
from postprocess.datasets.files import ExportError
from postprocess.exports import POINTLESS, WORDED
from postprocess.user_paths import expanded

if TYPE_CHECKING:
    from gemma_vision.pipeline import Pipeline

DEFAULT, DEFAULT_OF_WORDS = "coco", "csv"
MAX_WORKERS = 64
UNNAMED = "tiny"  # what --model is where nobody names one
SAMPLE = "picture.png"  # stands for every picture where a request is checked


def run(options: argparse.Namespace) -> int:
    """Annotate and print what it came to as one JSON object: 0, 1 when some pictures were passed
    over, 2 when all were. Each of those is named on standard error.
    """
    if options.save is None:
        raise UsageError("annotate needs a folder to write into: add --save DIR.")
    check_number(options, "workers", 1, MAX_WORKERS)
    is_in_words = TASKS[options.task].is_in_words
    kinds = check_kinds(options.kinds or (DEFAULT_OF_WORDS if is_in_words else DEFAULT))
    check_forms(options.task, kinds)
    plan = plan_of(options)
    progress = Progress()
    folder = expanded(options.save)
    work = AnnotationRun(
        PictureSource(options.source),
        folder,
        plan,
        kinds,
        decoder=partial(decoder_for, options),
        progress=progress.update,
    )
    try:
        counts = work.carry_out(executor_for(options))
    finally:
        progress.end()
    for one in counts["failed"]:
        complain(f"{one['file']}: {one['message']}")
    print_json(counts | {"files": len(counts["files"]), "report": str(folder / "index.html")})
    print_message(f"wrote {folder}")
    return 0 if not counts["failed"] else 1 if counts["annotated"] else 2


class Progress:
    """A progress line that begins where an earlier run stopped."""

    def __init__(self) -> None:
        self._line: ProgressLine | None = None

    def update(self, done: int, total: int) -> None:
        """`done` of `total` pictures."""
        if self._line is None:
            self._line = ProgressLine("pictures")
            self._line.begin(done)
        self._line.update(done, total)

    def end(self) -> None:
        """Leave the terminal's line."""
        if self._line is not None:
            self._line.end()


def check_forms(task: str, kinds: list[str]) -> None:
    """Refuse, before any work, forms that have no words for what the task finds."""
    unfit = [kind for kind in kinds if kind in POINTLESS and task == "point"]
    if unfit:
        raise ExportError(f"{unfit[0]} has no points; take coco, labelme, csv, svg or voc.")
    if TASKS[task].is_in_words and not set(kinds) & set(WORDED):
        known = " or ".join(WORDED)
        raise ExportError(f"{kinds[0]} has no place for the words that {task} gives; take {known}.")


def plan_of(options: argparse.Namespace) -> AnnotationPlan:
    """What is asked of whom; whatever cannot work is refused here, before a model is loaded."""
    given = given_options(options.task, options)
    name = model_name(options)
    asked = AnnotationPlan(options.task, options.text, given, name, "").request(SAMPLE)
    check_supported(options, asked)
    fingerprint = fingerprint_for(options)
    return AnnotationPlan(options.task, options.text, given, name, fingerprint, options.dtype)


def model_name(options: argparse.Namespace) -> str:
    """What the model is called; one that is alone on its server is named by where it is."""
    is_unnamed = not runs_named(options) and options.model == UNNAMED
    return str(options.engine) if is_unnamed else called(options.model)


def model_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """What `gemma_vision.load` is given, by name."""
    names = ("base", "masks", "device", "dtype", "engine")
    return {"name": options.model} | {name: getattr(options, name) for name in names}


def executor_for(options: argparse.Namespace) -> Executor:
    """Who does the work."""
    if options.engine.startswith(SCHEME):
        from gemma_vision.annotate.ray_executor import RayExecutor

        here = model_arguments(options) | {"engine": LOCAL}
        gpus = float(bool(options.device and options.device.startswith("cuda")))
        return RayExecutor(options.engine, options.workers, here, num_gpus=gpus)
    if options.workers > 1:
        return ProcessExecutor(options.workers, model_arguments(options))

    @cache
    def load() -> Pipeline:
        return gemma_vision.load(**model_arguments(options))

    return LoopExecutor(load)


def decoder_for(options: argparse.Namespace) -> LazyMaskDecoder | None:
    """What turns masks into the checkpoint's own codes."""
    is_here = runs_named(options)
    folders = folders_of(options.model, options.base) if is_here else (folder_of(options.model),)
    return lazy_decoder(decoder_of(*folders))
