"""Saving: what was seen, written into a folder in the forms that --as names."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gemma_vision.checkpoints.lazy_mask_decoder import LazyMaskDecoder
from gemma_vision.checkpoints.mask_decoder_files import DecoderError
from gemma_vision.cli.command_parser import UsageError
from gemma_vision.cli.writing import print_message
from gemma_vision.errors import describe, is_explained
from postprocess.errors import UserError

if TYPE_CHECKING:
    from PIL.Image import Image

    from postprocess.datasets.annotated import Codec
    from postprocess.instances import Instance

DEFAULT = "overlay"
LEARNED = "coco"  # the data set that is corrected and learned from: its pictures come with it
PICTURES = "images"


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
        self.folder = None if folder is None else Path(folder).expanduser()
        if self.folder is None:
            if kinds:
                raise UsageError("--as needs a folder to write into: add --save DIR.")
            return
        self.kinds = check_kinds(kinds or otherwise)
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
    ) -> None:
        """Write the forms asked for, named after the picture's file.

        decoder: what the masks were made with; lines for fine-tuning have its codes. A form that
        fails does not keep the others back; SaveError then tells of all that did.
        """
        if self.folder is None:
            return
        from postprocess.exports import EXPORTERS, Annotated, folder_of

        name, stem = self._names[place(path)]
        codec = self._codec(instances, decoder)
        picture, failed = Annotated(name, size, instances, image, stem, codec), []
        for kind in self.kinds:
            try:
                place_of_kind = folder_of(kind, self.kinds, self.folder)
                for written in EXPORTERS[kind]([picture], place_of_kind):
                    print_message(f"wrote {written}")
                if kind == LEARNED:
                    bring_picture(Path(path), name, place_of_kind)
            except (OSError, ValueError) as error:
                if not is_explained(error):
                    raise
                failed.append(f"{kind} cannot be written: {describe(error, names_files=True)[1]}")
        if failed:
            raise SaveError(" ".join(failed))

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
        shutil.copyfile(path, target)


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

    asked = [kind.strip() for kind in kinds.split(",") if kind.strip()]
    if not asked:
        raise UsageError(f"--as names nothing; take some of {', '.join(EXPORTERS)}.")
    for kind in asked:
        if kind not in EXPORTERS:
            raise UsageError(f'"{kind}" cannot be written; take some of {", ".join(EXPORTERS)}.')
    return list(dict.fromkeys(asked))
