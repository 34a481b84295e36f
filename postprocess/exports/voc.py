"""Pascal VOC: an XML file for each picture, boxes in whole pixels counted from 1. No masks."""

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path

from postprocess.coordinate_conventions import Pixels
from postprocess.exports.annotated import Annotated, on_one_line, without_controls
from postprocess.exports.files import ExportError, read_text, write_text
from postprocess.instances import Instance

_CORNERS = ("xmin", "ymin", "xmax", "ymax")


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
        for corner, edge in zip(_CORNERS, _corners(instance.pixels, picture.size), strict=True):
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


def read_voc(path: Path) -> list[Annotated]:
    """A VOC file, or every one of a folder."""
    path = Path(path)
    return [_read_file(file) for file in (sorted(path.glob("*.xml")) if path.is_dir() else [path])]


def _say(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = without_controls(text)


def _read_file(file: Path) -> Annotated:
    text = read_text(file)
    try:
        if "<!" in text.replace("<!--", ""):  # no entities: a file may be anybody's
            raise ValueError("it declares a document type")
        root = ET.fromstring(text)
        size = (int(_hear(root, "size/width")), int(_hear(root, "size/height")))
        instances = [_read_object(thing) for thing in root.iter("object")]
        return Annotated(_hear(root, "filename"), size, instances)
    except (ET.ParseError, ValueError) as error:
        raise ExportError(f"{file} is not a VOC file ({error}). Export it again.") from error


def _read_object(thing: ET.Element) -> Instance:
    x0, y0, x1, y1 = (round(float(_hear(thing, f"bndbox/{corner}"))) for corner in _CORNERS)
    box = (x0 - 1, y0 - 1, x1, y1)
    return Instance(_hear(thing, "name"), box, box)


def _hear(parent: ET.Element, path: str) -> str:
    found = parent.find(path)
    if found is None:
        raise ValueError(f"{path} is missing")
    return (found.text or "").strip()
