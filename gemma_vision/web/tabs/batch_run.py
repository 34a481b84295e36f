"""Batch run: one request for many pictures, with every result written into one zip."""

from __future__ import annotations

import hashlib
import json
import secrets
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from gemma_vision.answers.answer import Answer
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.request import Request
from gemma_vision.requests.tasks import TASKS
from gemma_vision.requests.validation import TaskError
from gemma_vision.web.forms.answer_panel import panel_values
from gemma_vision.web.forms.form_values import FormValues
from gemma_vision.web.forms.options import read_option_fields
from gemma_vision.web.jobs.batch_state import (
    BatchState,
    UnfinishedBatches,
    batch_key,
    new_batch,
)
from gemma_vision.web.jobs.events import NamedUpdates
from gemma_vision.web.jobs.image_answer import ImageAnswer
from gemma_vision.web.jobs.result_gallery import GalleryPage, ResultGallery
from gemma_vision.web.jobs.viewer_value import JSON, ViewerState, preview_file
from gemma_vision.web.jobs.visitor_answers import VisitorAnswer
from gemma_vision.web.server.errors import to_note
from gemma_vision.web.server.picture_uploads import PictureUpload, collect_pictures
from gemma_vision.web.server.picture_worker import open_picture
from gemma_vision.web.server.uploads import upload_folder
from postprocess.datasets.naming import free_names, free_stems, picture_names
from postprocess.exports import EXPORTERS, Annotated

KINDS = ("overlay", "coco", "masks")  # what the zip holds, beside answers.jsonl


class BatchJob:
    """Many pictures and one request. Updates "progress", "gallery", "download" and an answer
    panel's parts.

    results: where they go, from where a visitor opens them; store: takes the one that is shown
    in the panel, None where there is none. unfinished: batches that were stopped; the same one goes
    on.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        form: FormValues,
        results: ResultGallery | None = None,
        store: Callable[[VisitorAnswer | None], None] = lambda result: None,
        unfinished: UnfinishedBatches | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._form = form
        self._unfinished = unfinished
        self._results = ResultGallery() if results is None else results
        self._store = store
        self._num_shown = -1

    def begin(self) -> NamedUpdates:
        """Which pictures there are."""
        form = self._form
        self._uploads = collect_pictures(form.upload)
        self._options = read_option_fields(self._pipeline.family, form.task, form.options)
        self._store(None)
        return {"viewer": None, "take_home": None}

    def stream(self) -> Iterator[BatchState]:
        """All pictures, one behind the other."""
        form, results = self._form, self._results
        request = {"task": form.task, "text": form.text, **self._options}
        own: JSON = {"results": results, "unfinished": self._unfinished}
        return run_batch(self._pipeline, self._uploads, **own, **request)

    def updates(self, batch: BatchState | None) -> NamedUpdates:
        """The picture that is looked at, unless somebody opened another; progress and gallery where
        they have changed.
        """
        if batch is None:
            return {}
        shown: JSON = {}
        if batch.now is not None and self._results.opened is None:
            run, answer = batch.now
            shown["viewer"] = run.running(answer)
        if batch.done == self._num_shown:
            return shown
        self._num_shown = batch.done
        return {
            "progress": batch.progress("running"),
            "gallery": batch.gallery(),
            "download": gr.update(visible=False),
            **shown,
        }

    def finished(self, batch: BatchState | None, is_whole: bool) -> NamedUpdates:
        """Progress, gallery, the zip, and the first picture where nobody has opened another."""
        if batch is None:
            return {"progress": {"state": "stopped", "notes": []}}
        target = pack(batch)
        return {
            "progress": batch.progress("done" if is_whole else "stopped"),
            "gallery": batch.gallery(),
            "download": gr.update(value=target and str(target), visible=target is not None),
            **self._open_first(),
        }

    def failed(self, sentence: str, batch: BatchState | None) -> NamedUpdates:
        """The sentence in the progress panel; pictures that were done stay."""
        return {"progress": {"state": "error", "notes": [sentence]}} | self._open_first()

    def _open_first(self) -> JSON:
        if self._results.opened is not None:
            return {}
        page = self._results.pages[0] if self._results.pages else None
        if page is None:
            return {"viewer": None, "take_home": None}
        self._store(page.result)
        return dict(panel_values(page.view, page.result))


def run_batch(
    pipeline: Pipeline,
    uploads: Sequence[PictureUpload],
    task: str,
    text: str,
    *,
    results: ResultGallery | None = None,
    unfinished: UnfinishedBatches | None = None,
    **options: Any,
) -> Iterator[BatchState]:
    """The batch again and again while it grows, so that it can be stopped at any token.

    options: those of `Request`. results: takes them. A picture that cannot be read is a
    sentence and no end; a request that cannot work raises. unfinished: takes a batch that does not
    come to its end, and has one that goes on here.
    """
    nothing = "empty" if task in TASKS and TASKS[task].names_things else "blank"
    own = ResultGallery() if results is None else results
    store = UnfinishedBatches() if unfinished is None else unfinished
    key = batch_key(pipeline, uploads, task, text, options)
    batch = store.take(key, own) or new_batch(len(uploads), own, nothing)
    is_whole = False
    try:
        yield batch
        for upload, (name, stem) in zip(uploads, names_of(uploads), strict=True):
            if name not in batch.names:
                request: JSON = {"task": task, "text": text, **options}
                yield from run_picture(pipeline, batch, upload, (name, stem), request)
        is_whole = True
    finally:
        if not is_whole and batch.names:
            store.keep(key, batch)


def run_picture(
    pipeline: Pipeline,
    batch: BatchState,
    upload: PictureUpload,
    names: tuple[str, str],
    options: JSON,
) -> Iterator[BatchState]:
    """The batch while one of its pictures is looked at."""
    name, stem = names
    try:
        image = open_picture(upload.content())
        request = Request(image, **options)
        viewer = ViewerState(image, original=own_file(upload, stem))
        run = ImageAnswer(pipeline, request, viewer, name)
        newest: Answer | None = None
        for answer in run.stream():
            newest = answer
            batch.now = (run, newest)
            yield batch
        add_page(batch, run, run.ended(newest), name, stem)
        batch.names.add(name)
    except TaskError:
        raise
    except Exception as error:
        batch.failures.append(to_note(error, upload.name))
    yield batch


def add_page(batch: BatchState, run: ImageAnswer, view: JSON, name: str, stem: str) -> None:
    """Add one picture's result to the gallery, and write its files where it has an answer."""
    answer, image = run.shown, run.viewer.image
    assert image is not None, "a batch has its pictures"
    shown, count, words = image, 0, ""
    if answer is not None:
        shown, count, words = answer.overlay(), len(answer.instances), answer.plain.strip()
    caption = words or f"{count} \u00b7 {name}"  # what a long name cuts off is no loss
    page = GalleryPage(preview_file(shown), caption, view, run.result())
    if answer is not None:
        write_answer(batch.folder, name, stem, answer)
    batch.num_objects += count
    batch.results.pages.append(page)


def write_answer(folder: Path, name: str, stem: str, answer: Answer) -> None:
    """Write one answer's files."""
    picture = Annotated(name, answer.image.size, answer.instances, answer.image, stem)
    for kind in KINDS:
        EXPORTERS[kind]([picture], folder)
    with (folder / "answers.jsonl").open("a", encoding="utf-8") as lines:
        lines.write(json.dumps({"file": name} | answer.to_dict(), ensure_ascii=False) + "\n")


def own_file(upload: PictureUpload, stem: str) -> Path:
    """The person's own file; what a zip holds of it is written among the uploads.

    stem: how names of files about it begin, for its own may be one that no disk takes.
    """
    content = upload.content()
    if isinstance(content, Path):
        return content
    assert isinstance(content, bytes), "an upload is a file or the bytes of one"
    target = upload_folder() / hashlib.sha256(content).hexdigest() / f"{stem}.picture"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return target


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
