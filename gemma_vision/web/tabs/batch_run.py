"""Batching: one wish for many pictures, with every result written into one zip."""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
import weakref
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from gemma_vision.answers.answer import Answer
from gemma_vision.errors import describe
from gemma_vision.images.opening import MAX_BYTES, Picture, open_image
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.request import Request
from gemma_vision.requests.validation import TaskError
from gemma_vision.web.components.crops import wants_crops
from gemma_vision.web.jobs.viewer_value import preview_file
from gemma_vision.web.server.uploads import UploadError, resolve_upload, upload_folder
from postprocess.exports import EXPORTERS, Annotated
from postprocess.exports.naming import free_names, free_stems, picture_names

MAX_PICTURES = 32
KINDS = ("overlay", "coco", "masks")  # what the zip holds, beside answers.jsonl
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")

# What reading a damaged, encrypted or oddly packed zip raises.
UNREADABLE = (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError)


@dataclass(frozen=True)
class Item:
    """A picture of the batch: the name it came with and where it is, or what a zip holds of it."""

    name: str
    path: Path
    member: str | None = None  # of the zip at `path`

    @property
    def place(self) -> PurePosixPath:
        """The path it came by, a zip like the folder that it unpacks to; it climbs nowhere."""
        if self.member is None:
            return PurePosixPath(self.name)
        parts = (part for part in PurePosixPath(self.member).parts if part not in ("/", ".."))
        return PurePosixPath(self.path.stem, *parts)

    def read(self) -> Picture:
        """The file, or its bytes; no more of a zip's member than a picture may have."""
        if self.member is None:
            return self.path
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as member:
                return member.read(MAX_BYTES + 1)
        except UNREADABLE as error:
            raise UploadError("It cannot be taken out of the zip; pack it again.") from error


@dataclass
class Batch:
    """What has been done so far: pictures for the gallery, sentences for what failed, files.

    The folder goes with it.
    """

    total: int
    folder: Path
    shown: list[tuple[str, str]] = field(default_factory=list)  # file, caption
    failures: list[str] = field(default_factory=list)
    num_objects: int = 0

    def __post_init__(self) -> None:
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    @property
    def done(self) -> int:
        """How many pictures were looked at."""
        return len(self.shown) + len(self.failures)


def collect(files: Sequence[str | Mapping[str, Any]] | None) -> list[Item]:
    """The pictures of some uploads, zips opened; raises UploadError for none or too many."""
    items: list[Item] = []
    for file in files or ():
        path = resolve_upload(file)
        given = file.get("orig_name") if isinstance(file, Mapping) else None
        name = PurePosixPath(str(given or path.name)).name
        if zipfile.is_zipfile(path):
            items += members(path)
        else:
            items.append(Item(name, path))
        if len(items) > MAX_PICTURES:
            message = f"There are more than {MAX_PICTURES} pictures; send fewer at a time."
            raise UploadError(message, "E_TOO_MANY_IMAGES")
    if not items:
        raise UploadError("There are no pictures; add some, or a zip of some.", "E_NO_IMAGE")
    return items


def members(path: Path) -> list[Item]:
    """The pictures in a zip; nothing is unpacked onto the disk. One more than allowed at most."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
    except UNREADABLE as error:
        raise UploadError("The zip cannot be opened; pack it again.") from error
    pictures = [
        name
        for name in names
        if name.lower().endswith(SUFFIXES) and not PurePosixPath(name).name.startswith((".", "_"))
    ]
    return [Item(PurePosixPath(name).name, path, name) for name in pictures[: MAX_PICTURES + 1]]


def look_at_all(
    pipeline: Pipeline,
    items: Sequence[Item],
    task: str,
    words: str,
    max_tokens: int,
    crops: bool = False,
) -> Iterator[Batch]:
    """The batch again and again while it grows, so that it can be stopped at any token.

    crops: look at crops of long pictures too, where the checkpoint can. A picture that cannot be
    read is a sentence and no end; a wish that cannot work raises.
    """
    batch = Batch(len(items), Path(tempfile.mkdtemp(prefix="gemma-vision-batch-")))
    options: dict[str, Any] = {
        "max_tokens": max_tokens,
        "pan_and_scan": wants_crops(pipeline, crops),
    }
    yield batch
    for item, (name, stem) in zip(items, names_of(items), strict=True):
        try:
            image = open_image(item.read())
            request = Request(image, task, words, **options)
            newest: Answer | None = None
            for answer in pipeline.stream(request):
                newest = answer
                yield batch
            assert newest is not None, "a stream gives at least its whole answer"
            keep(batch, name, stem, newest)
        except TaskError:
            raise
        except Exception as error:
            batch.failures.append(f"{item.name}: {describe(error)[1]}")
        yield batch


def keep(batch: Batch, name: str, stem: str, answer: Answer) -> None:
    """Write one answer's files, and its picture for the gallery."""
    picture = Annotated(name, answer.image.size, answer.instances, answer.image, stem)
    for kind in KINDS:
        EXPORTERS[kind]([picture], batch.folder)
    with (batch.folder / "answers.jsonl").open("a", encoding="utf-8") as lines:
        lines.write(json.dumps({"file": name} | answer.to_dict(), ensure_ascii=False) + "\n")
    count = len(answer.instances)
    batch.num_objects += count
    words = answer.plain.strip()
    batch.shown.append((str(preview_file(answer.overlay())), words or f"{name}: {count}"))


def names_of(items: Sequence[Item]) -> list[tuple[str, str]]:
    """For each picture what data sets call it, and how the names of files about it begin.

    Pictures that came by one name and one way are numbered: nothing else tells them apart.
    """
    names = free_names(picture_names([item.place for item in items]), alike=str)
    return list(zip(names, free_stems(names), strict=True))


def pack(batch: Batch) -> Path | None:
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
