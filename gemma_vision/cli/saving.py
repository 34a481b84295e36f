"""Saving: what was seen, written into a folder in the forms that --as names."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gemma_vision.checkpoints.lazy_mask_decoder import LazyMaskDecoder
from gemma_vision.checkpoints.mask_decoder_files import DecoderError
from gemma_vision.cli.writing import print_message
from gemma_vision.errors import describe, is_explained
from postprocess.command_parser import UsageError
from postprocess.errors import UserError
from postprocess.user_paths import expanded

if TYPE_CHECKING:
    from PIL.Image import Image

    from postprocess.datasets.annotated import Annotated, Codec
    from postprocess.instances import Instance

DEFAULT = "overlay"
LEARNED = "coco"  # the data set that is corrected and learned from: its pictures come with it
PICTURES = "images"
_PAUSE = 20  # times as long as they took, until the files of all pictures are written again
_MOST_BYTES = 2**28  # of masks that wait for that


class SaveError(UserError):
    """Files of a picture that could not be written; the message says which and why."""

    CODE = "E_SAVE"


@dataclass
class Saved:
    """A picture, the files about it, and what is told of those that cannot be written."""

    path: str
    files: list[Path] = field(default_factory=list)
    failed: str = ""

    def fail(self, kind: str, error: Exception) -> None:
        """A form cannot be written; raises what nobody foresaw."""
        if not is_explained(error):
            raise error
        said = f"{kind} cannot be written: {describe(error, names_files=True)[1]}"
        self.failed = f"{self.failed} {said}".strip()


@dataclass(frozen=True)
class PictureFacts:
    """What is saved of a picture.

    decoder: what the masks were made with; lines for fine-tuning have its codes. words: the
    prompt and an answer in words.
    """

    size: tuple[int, int]
    instances: Sequence[Instance]
    image: Image | None
    decoder: LazyMaskDecoder | None = None
    words: tuple[str, str] | None = None


class Saver:
    """Writes each picture's files; does nothing without a folder.

    folder and kinds are what --save and --as said, pictures the paths of all that will come: data
    sets call each by its file's name, or by its path from the folder that all have in common where
    two share a name. Wrong kinds are refused here, before any work.
    """

    def __init__(
        self,
        folder: str | None,
        kinds: str | None,
        pictures: Sequence[str],
        *,
        otherwise: str = DEFAULT,
    ) -> None:
        self._waiting: list[tuple[Saved, Annotated]] = []
        self._bytes, self._last, self._cost = 0, 0.0, 0.0
        self.folder = None if folder is None else expanded(folder)
        if self.folder is None:
            if kinds:
                raise UsageError("--as needs a folder to write into: add --save DIR.")
            return
        self.kinds = check_kinds(kinds or otherwise)
        if self.folder.exists() and not self.folder.is_dir():
            raise UsageError(f"--save is {folder}, which is no folder; name one, or a new one.")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._names = names_of(pictures)

    def save_one(self, path: str, picture: PictureFacts) -> None:
        """Write the forms asked for; SaveError tells of those that cannot be written."""
        for saved in (*self.save(path, picture), *self.flush()):
            if saved.failed:
                raise SaveError(saved.failed)

    def save(self, path: str, picture: PictureFacts) -> list[Saved]:
        """Write what is this picture's alone, and at intervals the files that are of all.

        Those are read and written whole each time. The pictures of which all files are written now;
        a form that fails does not keep the others back.
        """
        if self.folder is None:
            return [Saved(path)]
        from postprocess.exports import PER_PICTURE, Annotated

        name, stem = self._names[place(path)]
        codec = self._codec(picture.instances, picture.decoder)
        shown = (name, picture.size, picture.instances, picture.image, stem, codec, picture.words)
        waiting = (Saved(path), Annotated(*shown))
        for kind in self.kinds:
            if kind in PER_PICTURE:
                self._write(kind, [waiting])
        self._miss(picture.words, name)
        self._waiting.append((waiting[0], replace(waiting[1], image=None)))
        self._bytes += sum(one.mask.nbytes for one in picture.instances if one.mask is not None)
        is_due = time.monotonic() - self._last >= _PAUSE * self._cost
        return self.flush() if is_due or self._bytes > _MOST_BYTES else []

    def flush(self) -> list[Saved]:
        """Write the files that are of all pictures; the pictures that waited for them."""
        from postprocess.exports import PER_PICTURE

        start, waiting = time.monotonic(), self._waiting
        for kind in self.kinds if waiting else ():
            if kind not in PER_PICTURE:
                self._write(kind, waiting)
        self._waiting, self._bytes, self._last = [], 0, time.monotonic()
        self._cost = self._last - start
        return [saved for saved, _ in waiting]

    def _write(self, kind: str, waiting: list[tuple[Saved, Annotated]]) -> None:
        """One form of some pictures; where they cannot be written together, each alone."""
        from postprocess.exports import EXPORTERS, folder_of

        assert self.folder is not None, "without a folder nothing waits"
        try:
            pictures = [picture for _, picture in waiting]
            files = EXPORTERS[kind](pictures, folder_of(kind, self.kinds, self.folder))
        except (OSError, ValueError) as error:
            for one in waiting if len(waiting) > 1 else ():
                self._write(kind, [one])
            if len(waiting) == 1:
                waiting[0][0].fail(kind, error)
            return
        for file in files:
            print_message(f"wrote {file}")
        for saved, picture in waiting:
            saved.files += files
            if kind == LEARNED:
                self._bring(saved, picture)

    def _bring(self, saved: Saved, picture: Annotated) -> None:
        """The picture itself, for the data set that is learned from."""
        from postprocess.exports import folder_of

        assert self.folder is not None, "without a folder nothing waits"
        try:
            folder = folder_of(LEARNED, self.kinds, self.folder)
            bring_picture(Path(saved.path), picture.file_name, folder)
        except (OSError, ValueError) as error:
            saved.fail(LEARNED, error)

    def _miss(self, words: tuple[str, str] | None, name: str) -> None:
        """Say so where no form has a place for an answer in words."""
        from postprocess.exports import WORDED

        if words and not set(self.kinds) & set(WORDED):
            known = " or ".join(WORDED)
            print_message(f"{name}: no file has the words of the answer; add {known} to --as.")

    def _codec(
        self, instances: Sequence[Instance], decoder: LazyMaskDecoder | None
    ) -> Codec | None:
        """What turns masks into codes, where lines with masks are asked for and it is at hand."""
        is_wanted = "paligemma" in self.kinds and any(one.mask is not None for one in instances)
        if decoder is None or not is_wanted:
            return None
        try:
            opened: Any = decoder.open()
        except DecoderError:
            return None
        return opened if hasattr(opened, "encode") else None


def bring_picture(path: Path, name: str, folder: Path) -> None:
    """Copy a picture to where its data set is read from, unless it is found there already."""
    from postprocess.datasets.picture_files import PictureFinder

    if PictureFinder([folder, folder / PICTURES]).find(name) is None and path.is_file():
        target = folder / PICTURES / name
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{os.getpid()}.{target.name}")
        try:
            shutil.copyfile(path, draft)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)


def names_of(pictures: Sequence[str]) -> dict[Path, tuple[str, str]]:
    """For each file what data sets call it, and how the names of files about it begin."""
    from postprocess.datasets.naming import free_stems, picture_names

    paths = list(dict.fromkeys(map(place, pictures)))
    names = picture_names(paths)
    return dict(zip(paths, zip(names, free_stems(names), strict=True), strict=True))


def place(path: str) -> Path:
    """Where a file is; of one file always the same."""
    return Path(os.path.abspath(path))


def check_kinds(kinds: str) -> list[str]:
    """The forms of a comma-separated list; UsageError names the ones there are."""
    from postprocess.exports import EXPORTERS

    asked = [kind.strip().lower() for kind in kinds.split(",") if kind.strip()]
    if not asked:
        raise UsageError(f"--as names nothing; take some of {', '.join(EXPORTERS)}.")
    for kind in asked:
        if kind not in EXPORTERS:
            raise UsageError(f'"{kind}" cannot be written; take some of {", ".join(EXPORTERS)}.')
    return list(dict.fromkeys(asked))
