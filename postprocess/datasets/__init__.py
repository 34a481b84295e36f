"""Datasets: pictures with named things in them, as files of other programs hold them.

    notices = Notices()
    pictures = READERS["coco"](Path("scenes"), notices)

Every reader takes a file or a folder, and says in notices what it left out or took another way than
it was written. What cannot be meant raises ExportError, a sentence.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from os import PathLike
from pathlib import Path
from typing import Protocol

from postprocess.argument_kinds import check_kind
from postprocess.datasets.annotated import Annotated
from postprocess.datasets.coco import read_coco
from postprocess.datasets.files import ExportError
from postprocess.datasets.label_studio import read_label_studio
from postprocess.datasets.labelme import read_labelme
from postprocess.datasets.notices import Notices
from postprocess.datasets.paligemma import read_paligemma
from postprocess.datasets.tables import read_csv
from postprocess.datasets.voc import read_voc
from postprocess.datasets.yolo import read_yolo
from postprocess.user_paths import expanded

__all__ = ["READERS", "Annotated", "ExportError", "Notices"]


class Reader(Protocol):
    """What reads a format."""

    def __call__(
        self, path: str | PathLike[str], notices: Notices | None = None, /
    ) -> list[Annotated]:
        """The pictures that a file or a folder tells of."""


def _checked(read: Callable[[Path, Notices | None], list[Annotated]]) -> Reader:
    """The same, from a place as a person gives it; slips of whoever calls are told."""

    @wraps(read)
    def read_place(path: str | PathLike[str], notices: Notices | None = None) -> list[Annotated]:
        check_kind(path, (str, PathLike), "the path of a file or a folder", ExportError)
        return read(expanded(path), notices)

    return read_place


READERS: Mapping[str, Reader] = {
    "coco": _checked(read_coco),
    "yolo": _checked(read_yolo),
    "labelme": _checked(read_labelme),
    "voc": _checked(read_voc),
    "csv": _checked(read_csv),
    "label-studio": _checked(read_label_studio),
    "paligemma": _checked(read_paligemma),
}
