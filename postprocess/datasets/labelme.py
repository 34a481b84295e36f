"""LabelMe files read: a JSON file for each picture, its shapes grouped into things."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from postprocess.datasets.annotated import Annotated, LazyInstances
from postprocess.datasets.files import ExportError, read_json
from postprocess.datasets.labelme_shapes import read_thing
from postprocess.datasets.naming import own_or_longer_names
from postprocess.datasets.notices import Notices, Once
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

JSON = dict[str, Any]


def read_labelme(path: Path, notices: Notices | None = None) -> list[Annotated]:
    """A LabelMe file, or every one of a folder and the folders in it; other JSON is passed over.

    Polygons, rectangles, circles and masks are read; points and lines are neither boxes nor areas
    and leave a notice. Shapes of one group and label are one thing.
    """
    path = Path(path)
    if not path.exists():
        raise ExportError(f"There is no file {path}. Name a LabelMe file, or a folder of them.")
    files = [path]
    if path.is_dir():
        files = [file for file in walk_files(path) if file.suffix.casefold() == ".json"]
    known = [(file, read_json(file, "LabelMe")) for file in files]
    ours = [(file, data) for file, data in known if not path.is_dir() or is_labelme(data)]
    if not ours:
        raise ExportError(
            f"There are no LabelMe files in {path}: looked for .json files with shapes. Name the "
            "folder that holds them."
        )
    root = path if path.is_dir() else path.parent
    pictures, notices = [], notices or Notices()
    finder = PictureFinder([root, root / "images"])
    parts = [image_parts(file, data, root, finder, notices) for file, data in ours]
    names = own_or_longer_names(parts)
    for (file, data), name in zip(ours, names, strict=True):
        try:
            pictures.append(read_picture(file, data, name, finder, notices))
        except ExportError as error:
            notices.fault(error)
    return pictures


def is_labelme(data: Any) -> bool:
    """Whether the content of a JSON file is that of LabelMe."""
    return isinstance(data, dict) and isinstance(data.get("shapes"), list)


def image_parts(
    file: Path, data: Any, root: Path, finder: PictureFinder, notices: Notices
) -> tuple[tuple[str, ...], int]:
    """The folders and the name of a file's picture, and how many of them belong to its name.

    A picture that lies elsewhere is called by its bare name. Where there is none of the name that
    is written, one that is called as the file is its.
    """
    said = data.get("imagePath") if isinstance(data, dict) else None
    is_said = isinstance(said, str) and bool(said.strip())
    path = said if isinstance(said, str) and is_said else f"{file.stem}.jpg"
    parts = name_parts(path) or (f"{file.stem}.jpg",)
    folders = file.parent.relative_to(root).parts
    if finder.find("/".join((*folders, *parts))) is None:
        own = called_as(file, root, finder)
        if own is not None:
            if is_said and is_other_name(parts[-1], own):
                notices.add("other_picture", file.name)
            own_parts = own.relative_to(root).parts
            return own_parts, len(own_parts)
    plain = path.replace("\\", "/")
    is_elsewhere = plain.startswith("/") or ".." in plain.split("/") or plain[1:2] == ":"
    if is_elsewhere:
        return parts, 1
    whole = (*folders, *parts)
    return whole, len(whole)


def read_picture(
    file: Path, data: Any, name: str, finder: PictureFinder, notices: Notices
) -> Annotated:
    """The things of one file; ExportError where it is not of LabelMe."""
    try:
        if not is_labelme(data):
            raise ValueError("it has no shapes")
        size = size_of(file, data, name, finder)
        once = Once(target=notices)
        things = LazyInstances.checked(
            partial(read_thing, shapes, size, f"{shapes[0].get('label')!r} in {file.name}", once)
            for shapes in groups(data["shapes"])
        )
        once.is_over = True
    except ExportError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise ExportError(f"{file} is not a LabelMe file ({error}). Export it again.") from error
    return Annotated(name, size, things)


def size_of(file: Path, data: JSON, name: str, finder: PictureFinder) -> Size:
    """The picture's (width, height): as the file says, or else its own."""
    size = read_size(data.get("imageWidth"), data.get("imageHeight"), str(file))
    if size is not None:
        return size
    path = finder.find(name)
    if path is None:
        raise ValueError(f"it gives no size, and its picture {name} is not beside it")
    return upright_size(path)


def groups(shapes: Iterable[JSON]) -> list[Sequence[JSON]]:
    """Shapes that are one thing: of one label and one group, wherever they stand in the file."""
    found: dict[Any, list[JSON]] = {}
    for number, shape in enumerate(shapes):
        group = shape.get("group_id")
        key = (number,) if group is None else (str(shape.get("label")), str(group), "grouped")
        found.setdefault(key, []).append(shape)
    return list(found.values())
