"""Saving: what was seen, written into a folder in the forms that --as names."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
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

    from postprocess.datasets.annotated import Codec
    from postprocess.instances import Instance

DEFAULT = "overlay"
LEARNED = "coco"  # the data set that is corrected and learned from: its pictures come with it
PICTURES = "images"
UNFINISHED = ".unfinished.jsonl"
JSON = dict[str, Any]


class SaveError(UserError):
    """Files of a picture that could not be written; the message says which and why."""

    CODE = "E_SAVE"


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

    def save(
        self,
        path: str,
        size: tuple[int, int],
        instances: Sequence[Instance],
        image: Image | None,
        *,
        decoder: LazyMaskDecoder | None = None,
        words: tuple[str, str] | None = None,
    ) -> list[Path]:
        """Write the forms asked for, named after the picture's file; the files.

        decoder: what the masks were made with; lines for fine-tuning have its codes. words: the
        prompt and an answer in words. A form that fails does not keep the others back; SaveError
        then tells of all that did.
        """
        files: list[Path] = []
        if self.folder is None:
            return files
        from postprocess.exports import EXPORTERS, Annotated, folder_of

        name, stem = self._names[place(path)]
        codec = self._codec(instances, decoder)
        picture, failed = Annotated(name, size, instances, image, stem, codec, words), []
        for kind in self.kinds:
            try:
                place_of_kind = folder_of(kind, self.kinds, self.folder)
                for written in EXPORTERS[kind]([picture], place_of_kind):
                    print_message(f"wrote {written}")
                    files.append(written)
                if kind == LEARNED:
                    bring_picture(Path(path), name, place_of_kind)
            except (OSError, ValueError) as error:
                if not is_explained(error):
                    raise
                failed.append(f"{kind} cannot be written: {describe(error, names_files=True)[1]}")
        if failed:
            raise SaveError(" ".join(failed))
        self._miss(words, name)
        return files

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


class UnfinishedRun:
    """What a run over many pictures has done, so that the same command goes on where it was ended.

    folder: where its files go; without one nothing is kept. asked: what tells one command from
    another, as JSON. A line of a hidden file there has a picture's answer, once all of its files
    are written; nothing is left of a run that came to its end.
    """

    def __init__(self, folder: Path | None, asked: Any) -> None:
        self._path = None if folder is None else folder / UNFINISHED
        self._run = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        self._done: dict[str, JSON] = {}
        if self._path is not None and self._path.is_file():
            for line in self._path.read_text("utf-8", "replace").splitlines():
                self._take(line)

    def answer_to(self, path: str) -> JSON | None:
        """The answer to a picture that was done, whose bytes and files are as they were."""
        row = self._done.get(self._name(path)) if self._done else None
        return None if row is None or not all(map(os.path.isfile, row["files"])) else row["answer"]

    def add(self, path: str, answer: JSON, files: Sequence[Path]) -> None:
        """A picture is done."""
        if self._path is None:
            return
        row = {"run": self._run, "picture": self._name(path), "answer": answer}
        row["files"] = [os.path.abspath(file) for file in files]
        with self._path.open("a", encoding="utf-8") as lines:
            lines.write(f"\n{json.dumps(row)}")  # behind half a line, where one was cut off
            lines.flush()
            os.fsync(lines.fileno())

    def end(self) -> None:
        """All pictures were gone through."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _take(self, line: str) -> None:
        try:
            row = json.loads(line)
        except ValueError:
            return  # cut off, or the empty line before the first
        if isinstance(row, dict) and row.get("run") == self._run:
            self._done[row["picture"]] = row

    def _name(self, path: str) -> str:
        """A picture by where it is and by its bytes."""
        try:
            with open(path, "rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
        except (OSError, ValueError):
            content = ""
        return f"{content} {place(path)}"


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
