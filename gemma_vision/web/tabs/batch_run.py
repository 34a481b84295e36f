"""Batch run: one request for many pictures, with every result written into one zip."""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
import weakref
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr

from gemma_vision.answers.answer import Answer
from gemma_vision.images.opening import open_image
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.request import Request
from gemma_vision.requests.validation import TaskError
from gemma_vision.web.forms.form_values import FormValues
from gemma_vision.web.forms.options import read_option_fields
from gemma_vision.web.jobs.events import NamedUpdates
from gemma_vision.web.jobs.viewer_value import JSON, preview_file
from gemma_vision.web.server.errors import to_note
from gemma_vision.web.server.picture_uploads import PictureUpload, collect_pictures
from gemma_vision.web.server.uploads import upload_folder
from postprocess.datasets.naming import free_names, free_stems, picture_names
from postprocess.exports import EXPORTERS, Annotated

KINDS = ("overlay", "coco", "masks")  # what the zip holds, beside answers.jsonl


@dataclass
class BatchState:
    """What has been done so far: pictures for the gallery, sentences for what failed, files.

    The folder goes with it.
    """

    total: int
    folder: Path
    previews: list[tuple[str, str]] = field(default_factory=list)  # file, caption
    failures: list[str] = field(default_factory=list)
    num_objects: int = 0

    def __post_init__(self) -> None:
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    @property
    def done(self) -> int:
        """How many pictures were looked at."""
        return len(self.previews) + len(self.failures)

    def progress(self, state: str) -> JSON:
        """The progress panel's value."""
        numbers = {"done": self.done, "total": self.total, "objects": self.num_objects}
        return {"state": state, "notes": list(self.failures)} | numbers

    def gallery(self) -> JSON:
        """The gallery with the pictures that are done."""
        return gr.update(value=list(self.previews), visible=bool(self.previews))


class BatchJob:
    """Many pictures and one request. Updates "progress", "gallery" and "download"."""

    def __init__(self, pipeline: Pipeline, form: FormValues) -> None:
        self._pipeline = pipeline
        self._form = form
        self._num_shown = -1

    def begin(self) -> NamedUpdates:
        """Which pictures there are."""
        form = self._form
        self._uploads = collect_pictures(form.upload)
        self._options = read_option_fields(self._pipeline.family, form.task, form.options)
        return {}

    def stream(self) -> Iterator[BatchState]:
        """All pictures, one behind the other."""
        form = self._form
        return run_batch(self._pipeline, self._uploads, form.task, form.text, **self._options)

    def updates(self, batch: BatchState | None) -> NamedUpdates:
        """Progress and gallery; nothing new is shown while a picture is looked at."""
        if batch is None or batch.done == self._num_shown:
            return {}
        self._num_shown = batch.done
        hidden = gr.update(visible=False)
        return {
            "progress": batch.progress("running"),
            "gallery": batch.gallery(),
            "download": hidden,
        }

    def finished(self, batch: BatchState | None, is_whole: bool) -> NamedUpdates:
        """Progress, gallery and the zip."""
        if batch is None:
            return {"progress": {"state": "stopped", "notes": []}}
        target = pack(batch)
        return {
            "progress": batch.progress("done" if is_whole else "stopped"),
            "gallery": batch.gallery(),
            "download": gr.update(value=target and str(target), visible=target is not None),
        }

    def failed(self, sentence: str, batch: BatchState | None) -> NamedUpdates:
        """The sentence in the progress panel; pictures that were done stay."""
        return {"progress": {"state": "error", "notes": [sentence]}}


def run_batch(
    pipeline: Pipeline, uploads: Sequence[PictureUpload], task: str, text: str, **options: Any
) -> Iterator[BatchState]:
    """The batch again and again while it grows, so that it can be stopped at any token.

    options: those of `Request`. A picture that cannot be read is a sentence and no end; a request
    that cannot work raises.
    """
    batch = BatchState(len(uploads), Path(tempfile.mkdtemp(prefix="gemma-vision-batch-")))
    yield batch
    for upload, (name, stem) in zip(uploads, names_of(uploads), strict=True):
        try:
            request = Request(open_image(upload.content()), task, text, **options)
            newest: Answer | None = None
            for answer in pipeline.stream(request):
                newest = answer
                yield batch
            assert newest is not None, "a stream gives at least its whole answer"
            write_answer(batch, name, stem, newest)
        except TaskError:
            raise
        except Exception as error:
            batch.failures.append(to_note(error, upload.name))
        yield batch


def write_answer(batch: BatchState, name: str, stem: str, answer: Answer) -> None:
    """Write one answer's files, and its picture for the gallery."""
    picture = Annotated(name, answer.image.size, answer.instances, answer.image, stem)
    for kind in KINDS:
        EXPORTERS[kind]([picture], batch.folder)
    with (batch.folder / "answers.jsonl").open("a", encoding="utf-8") as lines:
        lines.write(json.dumps({"file": name} | answer.to_dict(), ensure_ascii=False) + "\n")
    count = len(answer.instances)
    batch.num_objects += count
    caption = answer.plain.strip() or f"{name}: {count}"
    batch.previews.append((str(preview_file(answer.overlay())), caption))


def names_of(uploads: Sequence[PictureUpload]) -> list[tuple[str, str]]:
    """For each picture what data sets call it, and how the names of files about it begin.

    Pictures that came by one name and one way are numbered: nothing else tells them apart.
    """
    names = free_names(picture_names([upload.place for upload in uploads]), alike=str)
    return list(zip(names, free_stems(names), strict=True))


def pack(batch: BatchState) -> Path | None:
    """The zip of everything that was written, among the uploads, from where it is swept one day.

    None where nothing was written.
    """
    files = sorted(path for path in batch.folder.rglob("*") if path.is_file())
    if not files:
        return None
    target = upload_folder() / secrets.token_hex(16) / "gemma-vision.zip"
    target.parent.mkdir(parents=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, str(path.relative_to(batch.folder)))
    return target
