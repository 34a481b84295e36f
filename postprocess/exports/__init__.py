"""Exports: what is in pictures, as files that other programs read.

    picture = Annotated("cat.jpg", image.size, instances, image)
    EXPORTERS["coco"]([picture], Path("out"))

Every exporter takes pictures and a folder and returns the files it wrote. Those that keep one file
for all pictures add to it, so one call for many pictures and a call for each come to the same.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from os import PathLike
from pathlib import Path
from typing import Any

from postprocess.argument_kinds import check_kind
from postprocess.datasets import READERS
from postprocess.datasets.annotated import Annotated, with_own_files
from postprocess.datasets.files import ExportError
from postprocess.exports.coco import to_coco
from postprocess.exports.detections import to_supervision
from postprocess.exports.label_studio import to_label_studio
from postprocess.exports.labelme import to_labelme
from postprocess.exports.paligemma import to_paligemma
from postprocess.exports.pixels import to_cutouts, to_mask_pngs, to_overlay
from postprocess.exports.svg import to_svg
from postprocess.exports.tables import to_csv
from postprocess.exports.voc import to_voc
from postprocess.exports.yolo import to_yolo, to_yolo_polygons
from postprocess.user_paths import expanded

__all__ = [
    "DRAWN",
    "EXPORTERS",
    "PER_PICTURE",
    "POINTLESS",
    "READERS",
    "THINGS_ONLY",
    "WORDED",
    "Annotated",
    "ExportError",
    "folder_of",
    "to_supervision",
]

Exporter = Callable[[Iterable[Annotated], str | PathLike[str]], list[Path]]


def _checked(write: Callable[..., list[Path]]) -> Exporter:
    """The same, into a folder as a person gives it, and no picture's files in another's place."""

    @wraps(write)
    def export(
        pictures: Iterable[Annotated], folder: str | PathLike[str], **options: Any
    ) -> list[Path]:
        wanted = "a list of Annotated, one for each picture"
        check_kind(pictures, Iterable, wanted, ExportError)
        check_kind(folder, (str, PathLike), "the path of the folder to write into", ExportError)
        return write(with_own_files(pictures), expanded(folder), **options)

    return export


EXPORTERS: dict[str, Exporter] = {
    "overlay": _checked(to_overlay),
    "coco": _checked(to_coco),
    "masks": _checked(to_mask_pngs),
    "cutouts": _checked(to_cutouts),
    "yolo": _checked(to_yolo),
    "yolo-polygons": _checked(to_yolo_polygons),
    "labelme": _checked(to_labelme),
    "voc": _checked(to_voc),
    "csv": _checked(to_csv),
    "svg": _checked(to_svg),
    "paligemma": _checked(to_paligemma),
    "label-studio": _checked(to_label_studio),
}

# Forms that show the pictures themselves.
DRAWN = ("overlay", "cutouts")

# Forms with files for each picture; the others keep one for all and add to it.
PER_PICTURE = (*DRAWN, "masks", "labelme", "voc", "svg")

# Forms that have no words for a point, and refuse it.
POINTLESS = ("yolo", "yolo-polygons", "paligemma")

# Forms that have no place for a picture without things.
THINGS_ONLY = ("csv", "paligemma")

# Forms that have a place for an answer in words.
WORDED = ("csv", "paligemma")

# Forms whose files have the same names.
_ALIKE = (("yolo", "yolo-polygons"),)


def folder_of(kind: str, kinds: Iterable[str], folder: Path) -> Path:
    """Where a form is written when several are asked for at once.

    Forms whose files would have the same names get a folder each, called as the form is.
    """
    asked = set(kinds)
    is_shared = any(kind in alike and asked >= set(alike) for alike in _ALIKE)
    return folder / kind if is_shared else folder
