"""Datasets: pictures with named things in them, as files of other programs hold them.

    notices = Notices()
    pictures = READERS["coco"](Path("scenes"), notices)

Every reader takes a file or a folder, and says in notices what it left out or took another way than
it was written. What cannot be meant raises ExportError, a sentence.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

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

__all__ = ["READERS", "Annotated", "ExportError", "Notices"]


class Reader(Protocol):
    """What reads a format."""

    def __call__(self, path: Path, notices: Notices | None = None, /) -> list[Annotated]:
        """The pictures that a file or a folder tells of."""


READERS: Mapping[str, Reader] = {
    "coco": read_coco,
    "yolo": read_yolo,
    "labelme": read_labelme,
    "voc": read_voc,
    "csv": read_csv,
    "label-studio": read_label_studio,
    "paligemma": read_paligemma,
}
