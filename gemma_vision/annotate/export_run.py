"""Export run: rows written as the files that were asked for, in a draft folder, then put in place.

Forms of one file hold all pictures at once; those of several are written a picture at a time.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gemma_vision.annotate.rows import annotated
from gemma_vision.annotate.shards import ShardFolder
from gemma_vision.annotate.sources import PictureSource
from gemma_vision.checkpoints.mask_decoder_files import DecoderError
from gemma_vision.images.opening import open_image
from postprocess.datasets.annotated import Annotated, Codec
from postprocess.datasets.naming import free_stems

if TYPE_CHECKING:
    from PIL.Image import Image

    from gemma_vision.checkpoints.lazy_mask_decoder import LazyMaskDecoder

PIXELS = ("overlay", "cutouts")  # forms that show pixels
LEARNED = "coco"  # the data set that is corrected and learned from: its pictures come with it
CODED = "paligemma"  # the form that has masks as codes
PICTURES = "images"
LABELS = "labels"  # where the forms of YOLO write


@dataclass(frozen=True)
class ExportRun:
    """Writes what shards hold. decoder: what turns masks into codes, for lines that have them."""

    source: PictureSource
    shards: ShardFolder
    names: Sequence[str]
    decoder: LazyMaskDecoder | None = None

    def write(self, kinds: Sequence[str], draft: Path) -> None:
        """Write every form into the draft folder. Raises ExportError for what one cannot hold."""
        from postprocess.exports import EXPORTERS, folder_of

        for kind in kinds:
            folder = folder_of(kind, kinds, draft)
            if kind in PIXELS:
                for picture in self.pictures(with_pixels=True):
                    EXPORTERS[kind]([picture], folder)
            else:
                codec = self._codec() if kind == CODED else None
                EXPORTERS[kind](self.pictures(codec=codec), folder)

    def pictures(
        self, *, with_pixels: bool = False, codec: Codec | None = None
    ) -> Iterator[Annotated]:
        """Every picture that was looked at, in order, held by nobody here."""
        stems = dict(zip(self.names, free_stems(self.names), strict=True))
        for row in self.rows():
            image = self._open(row["file"]) if with_pixels else None
            yield annotated(row, stems[row["file"]], image=image, codec=codec)

    def pictures_of(self, names: Collection[str]) -> Iterator[Annotated]:
        """Those of these names, with their pixels."""
        for row in self.rows():
            if row["file"] in names:
                yield annotated(row, "", image=self._open(row["file"]))

    def rows(self) -> Iterator[dict[str, Any]]:
        """What was found in each picture that was looked at."""
        return (row for row in self.shards.rows() if "error" not in row)

    def pictures_at(self, folder: Path) -> dict[str, tuple[str, bool]]:
        """Every picture by its path in the data set, and whether it is there already."""
        there = PictureSource(str(folder))
        paths = ((f"{PICTURES}/{row['file']}", row) for row in self.rows())
        return {path: (row["file"], there.digest(path) == row["sha256"]) for path, row in paths}

    def bring_pictures(self, missing: Mapping[str, str], draft: Path, folder: Path) -> None:
        """Copy pictures to their paths. Half a picture is never there: the draft has it."""
        for name, picture in missing.items():
            half = draft / PICTURES
            half.write_bytes(self.source.read(picture))
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(half, folder / name)

    def _open(self, name: str) -> Image:
        return open_image(self.source.read(name))

    def _codec(self) -> Codec | None:
        """What turns masks into codes, where there are masks and it is at hand."""
        has_masks = any(one["mask"] for row in self.rows() for one in row["instances"])
        if self.decoder is None or not has_masks:
            return None
        try:
            opened: Any = self.decoder.open()
        except DecoderError:
            return None
        return opened if hasattr(opened, "encode") else None


def files_below(folder: Path) -> list[str]:
    """Every file of a folder by its path from there, sorted."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in files)


def put_in_place(draft: Path, folder: Path, files: Sequence[str]) -> None:
    """Move files from the draft to the same paths below a folder."""
    for name in files:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(draft / name, target)
    shutil.rmtree(draft)


def remove_files(folder: Path, files: Sequence[str]) -> None:
    """Delete files of a folder, and folders of it that are empty then."""
    for name in files:
        path = folder / name
        path.unlink(missing_ok=True)
        for parent in path.relative_to(folder).parents[:-1]:
            place = folder / parent
            if place.is_dir() and not any(place.iterdir()):
                place.rmdir()
