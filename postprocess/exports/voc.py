"""Pascal VOC: an XML file for each picture, boxes in whole pixels counted from 1. No masks."""

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path

from postprocess.coordinate_conventions import Pixels
from postprocess.datasets.annotated import Annotated, on_one_line, without_controls
from postprocess.datasets.files import write_text
from postprocess.datasets.voc import CORNERS


def to_voc(pictures: Iterable[Annotated], folder: Path) -> list[Path]:
    """`NAME.xml` for each picture."""
    return [write_text(folder / f"{picture.stem}.xml", describe(picture)) for picture in pictures]


def describe(picture: Annotated) -> str:
    """The XML of one picture. `xmin` and `xmax` are its first and last column, from 1."""
    root = ET.Element("annotation")
    _say(root, "filename", picture.file_name)
    size = ET.SubElement(root, "size")
    for name, value in zip(("width", "height", "depth"), (*picture.size, 3), strict=True):
        _say(size, name, str(value))
    _say(root, "segmented", "0")
    for instance in picture.instances:
        thing = ET.SubElement(root, "object")
        _say(thing, "name", on_one_line(instance.name))
        for mark, said in (("pose", "Unspecified"), ("truncated", "0"), ("difficult", "0")):
            _say(thing, mark, said)
        corners = ET.SubElement(thing, "bndbox")
        for corner, edge in zip(CORNERS, _corners(instance.pixels, picture.size), strict=True):
            _say(corners, corner, str(edge))
        if instance.point is not None:  # as the devkit of 2011 has it for actions
            place = ET.SubElement(thing, "point")
            x, y = instance.point
            _say(place, "x", str(x + 1))
            _say(place, "y", str(y + 1))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def _corners(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """First and last column and row from 1: a box without area is one pixel wide or high."""
    (x0, y0, x1, y1), (width, height) = pixels, size
    left, top = min(x0 + 1, width), min(y0 + 1, height)
    return left, top, max(x1, left), max(y1, top)


def _say(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = without_controls(text)
