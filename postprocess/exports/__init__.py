"""Exports: what is in pictures, as files that other programs read.

    picture = Annotated("cat.jpg", image.size, instances, image)
    EXPORTERS["coco"]([picture], Path("out"))

Every exporter takes pictures and a folder and returns the files it wrote. Those that keep one file
for all pictures add to it, so one call for many pictures and a call for each come to the same.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from postprocess.exports.annotated import Annotated
from postprocess.exports.coco import read_coco, to_coco
from postprocess.exports.detections import to_supervision
from postprocess.exports.files import ExportError
from postprocess.exports.labelme import read_labelme, to_labelme
from postprocess.exports.paligemma import to_paligemma
from postprocess.exports.pixels import to_cutouts, to_mask_pngs, to_overlay
from postprocess.exports.svg import to_svg
from postprocess.exports.tables import read_csv, to_csv
from postprocess.exports.voc import read_voc, to_voc
from postprocess.exports.yolo import to_yolo, to_yolo_polygons
from postprocess.exports.yolo_reading import read_yolo

__all__ = ["EXPORTERS", "READERS", "Annotated", "ExportError", "to_supervision"]

EXPORTERS: dict[str, Callable[[Iterable[Annotated], Path], list[Path]]] = {
    "overlay": to_overlay,
    "coco": to_coco,
    "masks": to_mask_pngs,
    "cutouts": to_cutouts,
    "yolo": to_yolo,
    "yolo-polygons": to_yolo_polygons,
    "labelme": to_labelme,
    "voc": to_voc,
    "csv": to_csv,
    "svg": to_svg,
    "paligemma": to_paligemma,
}

READERS: dict[str, Callable[[Path], list[Annotated]]] = {
    "coco": read_coco,
    "yolo": read_yolo,
    "labelme": read_labelme,
    "voc": read_voc,
    "csv": read_csv,
}
