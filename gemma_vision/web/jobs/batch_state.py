"""Batch state: how far a batch is, and batches that were stopped and may go on."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import gradio as gr

from gemma_vision.answers.answer import Answer
from gemma_vision.pipeline import Pipeline
from gemma_vision.web.jobs.image_answer import ImageAnswer
from gemma_vision.web.jobs.result_gallery import ResultGallery
from gemma_vision.web.jobs.viewer_value import JSON
from gemma_vision.web.server.picture_uploads import PictureUpload
from postprocess.errors import UserError

MAX_UNFINISHED = 8  # batches that were stopped, of all visitors
UNFINISHED_SECONDS = 1800.0  # for which one may go on; what is shown of it is swept after an hour


@dataclass
class BatchState:
    """What has been done so far: results to look at, sentences for what failed, files.

    names: of the pictures that are done. nothing: the state of a batch of which nothing came,
    "empty" or "blank". now: the picture that is looked at, with its answer so far, None before the
    first. The folder goes with it.
    """

    total: int
    folder: Path
    results: ResultGallery = field(default_factory=ResultGallery)
    failures: list[str] = field(default_factory=list)
    num_objects: int = 0
    nothing: str = "empty"
    names: set[str] = field(default_factory=set)
    now: tuple[ImageAnswer, Answer | None] | None = None

    def __post_init__(self) -> None:
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    @property
    def done(self) -> int:
        """How many pictures were looked at."""
        return len(self.results.pages) + len(self.failures)

    def progress(self, state: str) -> JSON:
        """The progress panel's value; a batch of which nothing came is not done but says so."""
        numbers = {"done": self.done, "total": self.total, "objects": self.num_objects}
        value: JSON = {"state": state, "notes": list(self.failures)} | numbers
        if self.failures:
            value |= {"also": "batch_failed", "failed": len(self.failures)}
        pages = self.results.pages
        if state == "done" and all(page.view["status"]["state"] == "empty" for page in pages):
            nothing = "empty" if self.results.has_words else self.nothing
            value["state"] = nothing if pages else "error"
        return value

    def gallery(self) -> JSON:
        """The gallery with the pictures that are done."""
        return gr.update(value=self.results.entries(), visible=bool(self.results.pages))


def new_batch(total: int, results: ResultGallery, nothing: str) -> BatchState:
    """A batch of which nothing is done."""
    folder = Path(tempfile.mkdtemp(prefix="gemma-vision-batch-"))
    return BatchState(total, folder, results, nothing=nothing)


def batch_key(
    pipeline: Pipeline, uploads: Sequence[PictureUpload], task: str, text: str, options: JSON
) -> str:
    """What tells a batch from another: its pictures by their bytes, what is asked, and of whom."""
    digest = hashlib.sha256(repr((pipeline.name, pipeline.source, task, text)).encode())
    digest.update(repr(sorted(options.items())).encode())
    for upload in uploads:
        try:
            content = upload.content()
            data = content.read_bytes() if isinstance(content, Path) else content
        except (UserError, OSError):
            data = b""  # its turn comes, and says why
        digest.update(f"{upload.place} {len(data)} ".encode("utf-8", "replace") + data)
    return digest.hexdigest()


class UnfinishedBatches:
    """Batches that were stopped, for half an hour: whoever asks the same again goes on with one."""

    def __init__(self) -> None:
        self._batches: OrderedDict[str, BatchState] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, key: str, batch: BatchState) -> None:
        """Keep a batch that was stopped; key: what tells it from others."""
        with self._lock:
            self._batches[key] = batch
            while len(self._batches) > MAX_UNFINISHED:
                self._batches.popitem(last=False)
        timer = threading.Timer(UNFINISHED_SECONDS, self._drop, (key, weakref.ref(batch)))
        timer.daemon = True
        timer.start()

    def take(self, key: str, results: ResultGallery) -> BatchState | None:
        """The batch of that key, which is nobody else's from now on, its pages put into `results`.

        None where there is none, or something that it would show is gone.
        """
        with self._lock:
            batch = self._batches.pop(key, None)
        if batch is None or not all(page.preview.is_file() for page in batch.results.pages):
            return None
        results.pages.extend(batch.results.pages)
        batch.results, batch.failures, batch.now = results, [], None
        return batch

    def _drop(self, key: str, batch: weakref.ref[BatchState]) -> None:
        with self._lock:
            if self._batches.get(key) is batch():
                self._batches.pop(key, None)
