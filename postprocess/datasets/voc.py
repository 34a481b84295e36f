"""Pascal VOC read: an XML file for each picture, boxes in pixels counted from 1, or from 0."""

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from postprocess.coordinate_conventions import Box
from postprocess.datasets.annotated import Annotated, whole_box
from postprocess.datasets.edges import cut_box
from postprocess.datasets.files import ExportError, check_filled, decode_text, read_bytes
from postprocess.datasets.naming import own_or_longer_names
from postprocess.datasets.notices import Notices
from postprocess.datasets.numbers import read_number
from postprocess.datasets.picture_files import (
    PictureFinder,
    Size,
    called_as,
    is_other_name,
    name_parts,
    read_size,
    upright_size,
    walk_files,
)
from postprocess.instances import Instance

CORNERS = ("xmin", "ymin", "xmax", "ymax")

_DECLARATION = re.compile(rb"""^\s*<\?xml[^>]*?encoding=["']([\w.-]+)["'][^>]*\?>""")
_PROLOG = re.compile(r"^\s*<\?xml[^>]*\?>")
_XML_FOLDERS = ("annotations",)  # no part of a picture's name


@dataclass(frozen=True)
class _File:
    """One file, its corners as they are written."""

    path: Path
    root: ET.Element
    objects: list[tuple[str, Box]]


def read_voc(path: Path, notices: Notices | None = None) -> list[Annotated]:
    """A VOC file, or every one of a folder and the folders in it; other XML is passed over.

    Where any corner is 0 the pixels of all files are counted from 0, else from 1.
    """
    path = Path(path)
    if not path.exists():
        raise ExportError(f"There is no file {path}. Name a VOC file, or a folder of them.")
    paths = [path]
    if path.is_dir():
        paths = [file for file in walk_files(path) if file.suffix.casefold() == ".xml"]
    notices, files, is_any = notices or Notices(), [], False
    for one in paths:
        if path.is_dir() and not is_voc(one):
            continue
        is_any = True
        try:
            files.append(read_file(one))
        except ExportError as error:
            notices.fault(error)
    if not is_any:
        raise ExportError(
            f"There are no VOC files in {path}: looked for .xml files with annotations. Name the "
            "folder that holds them."
        )
    root = path if path.is_dir() else path.parent
    first = 0 if any(min(box[:2]) <= 0 for file in files for _, box in file.objects) else 1
    finder = PictureFinder([root, root / "JPEGImages", root / "images"])
    names = own_or_longer_names([picture_place(file, root, finder, notices) for file in files])
    pictures = []
    for file, name in zip(files, names, strict=True):
        try:
            pictures.append(to_picture(file, name, first, finder, notices))
        except ExportError as error:
            notices.fault(error)
    return pictures


def is_voc(path: Path) -> bool:
    """Whether a file is an annotation; one that is no XML is for its reader to refuse."""
    start = read_bytes(path)[:2000]
    return b"<annotation" in start or b"\x00" in start or b"<" not in start


def read_file(path: Path) -> _File:
    """The content of one file; ExportError where it is not of VOC."""
    data = read_bytes(path)
    declared = _DECLARATION.match(data)
    text = decode_text(data, path, declared[1].decode() if declared else "utf-8-sig")
    check_filled(text, path, "VOC")
    try:
        if "<!" in text.replace("<!--", "").replace("<![CDATA[", ""):
            raise ValueError("it declares a document type")  # no entities: it may be anybody's
        root = ET.fromstring(_PROLOG.sub("", text))
        if root.tag == "annotations" and root.find("version") is not None:
            raise ExportError(
                f"{path} is CVAT's own XML, which is not read. Export the task from CVAT as COCO, "
                "Pascal VOC or YOLO."
            )
        if root.tag != "annotation":
            raise ValueError("it is no annotation")
        return _File(path, root, [read_object(thing) for thing in root.iter("object")])
    except ExportError:
        raise
    except (ET.ParseError, ValueError, RecursionError) as error:
        raise ExportError(f"{path} is not a VOC file ({error}). Export it again.") from error


def read_object(thing: ET.Element) -> tuple[str, Box]:
    """The name and the corners of a thing, in the right order."""
    corners = []
    for corner in CORNERS:
        number = read_number(thing.findtext(f"bndbox/{corner}"))
        if number is None:
            raise ValueError(f"bndbox/{corner} is missing or no number")
        corners.append(number)
    x0, y0, x1, y1 = corners
    box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    return (thing.findtext("name") or "").strip(), box


def picture_place(
    file: _File, root: Path, finder: PictureFinder, notices: Notices
) -> tuple[tuple[str, ...], int]:
    """The folders and the name of a file's picture, and how many of them belong to its name.

    Folders that are written do, unless they are those of a machine. Where there is no picture of
    the name that is written, one that is called as the file is its.
    """
    text = (file.root.findtext("filename") or "").strip()
    written = name_parts(text)
    said = written or (f"{file.path.stem}.jpg",)
    folders = file.path.parent.relative_to(root).parts
    known = tuple(part for part in folders if part.casefold() not in _XML_FOLDERS)
    if finder.find("/".join(said)) is None:
        path = called_as(file.path, root, finder)
        if path is not None and written and is_other_name(written[-1], path):
            notices.add("other_picture", file.path.name)
        said = said if path is None else (path.name,)
    is_own = "/".join(said) == text.replace("\\", "/")
    return (*known, *said), len(said) if is_own else 1


def to_picture(
    file: _File, name: str, first: int, finder: PictureFinder, notices: Notices
) -> Annotated:
    """The picture of a file. first: the number of the first column and row of pixels."""
    size = size_of(file, finder)
    found = []
    for label, (x0, y0, x1, y1) in file.objects:
        where = f"{label!r} in {file.path.name}"
        box = cut_box((x0 - first, y0 - first, x1, y1), size, where, notices)
        if box is not None:
            found.append(Instance(label, box, whole_box(box, None, size)))
    return Annotated(name, size, found)


def size_of(file: _File, finder: PictureFinder) -> Size:
    """The picture's (width, height): as the file says, or else its own."""
    width, height = (file.root.findtext(f"size/{side}") for side in ("width", "height"))
    size = read_size(width, height, str(file.path))
    if size is not None:
        return size
    name = (file.root.findtext("filename") or f"{file.path.stem}.jpg").strip()
    path = PictureFinder([file.path.parent]).find_exactly(name) or finder.find(name)
    if path is None:
        raise ExportError(
            f"{file.path} is not a VOC file with a size, and its picture {name} is not there. "
            "Put it beside the file."
        )
    return upright_size(path)
