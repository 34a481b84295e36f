"""Where a YOLO data set keeps its names, its lines and its pictures, as the programs lay it out.

data.yaml, images/train/a.jpg, labels/train/a.txt      Ultralytics
data.yaml, train/images/a.jpg, train/labels/a.txt      Roboflow
obj.names, obj_train_data/a.jpg, obj_train_data/a.txt  Darknet, CVAT
classes.txt, sizes.csv, images/a.jpg, labels/a.txt     Gemma Vision, labelImg
"""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from postprocess.datasets.files import ExportError, read_text
from postprocess.datasets.picture_files import SUFFIXES, Size, name_key, walk_files

CLASSES = "classes.txt"
DATA = "data.yaml"  # where Ultralytics keeps the names
SIZES = "sizes.csv"
KEY_POINTS = "kpt_shape"  # of a data set of poses: how many there are, and numbers for each

_ABOVE = 2  # folders above the one that is named are searched for names
_LISTS = ("classes", "obj", "train", "val", "valid", "test", "trainval", "predefined_classes")
_LABELS, _IMAGES = "labels", "images"

Known = dict[str, tuple[str, Size]]  # label file under labels/ -> name and size of the picture


@dataclass(frozen=True)
class LabelFile:
    """Lines about a picture. `name` is the file's path from its root, without the suffix."""

    path: Path
    name: str
    picture: Path | None  # None where it is not there


def label_files(folder: Path) -> list[LabelFile]:
    """The files of lines: those under a `labels` folder, or else those beside a picture."""
    files = list(walk_files(folder))
    texts = [file for file in files if file.suffix.casefold() == ".txt"]
    under = [file for file in texts if labels_index(file.relative_to(folder)) is not None]
    pictures = PicturesByStem(files)
    chosen = under or [file for file in texts if is_beside_or_lines(file, pictures)]
    known = read_sizes(folder) if any(map(is_list, chosen)) else {}
    found = [LabelFile(file, short_name(file, folder), pictures.of(file)) for file in chosen]
    return [one for one in found if one.picture or one.name in known or holds_lines(one.path)]


def unlabelled(folder: Path, files: Iterable[LabelFile]) -> list[Path]:
    """Pictures that no file of lines is about, where there are others that have one."""
    labelled = {file.picture for file in files if file.picture is not None}
    folders = {picture.parent for picture in labelled}
    return [
        file
        for file in walk_files(folder)
        if file.suffix.casefold() in SUFFIXES and file.parent in folders and file not in labelled
    ]


def labels_index(path: Path) -> int | None:
    """Which of a path's folders is the last one called `labels`."""
    found = [k for k, part in enumerate(path.parts[:-1]) if part.casefold() == _LABELS]
    return found[-1] if found else None


def short_name(file: Path, folder: Path) -> str:
    """The name of a label file under its root, without the suffix.

    labels/train/a.txt -> "train/a", train/labels/a.txt -> "train/labels/a"
    """
    path = file.relative_to(folder).with_suffix("")
    return "/".join(path.parts[1:] if path.parts[0].casefold() == _LABELS else path.parts)


def is_list(file: Path) -> bool:
    """Whether a text file lists names or pictures, and holds no lines of things."""
    return file.stem.casefold() in _LISTS or file.stem.casefold().startswith("readme")


def is_beside_or_lines(file: Path, pictures: "PicturesByStem") -> bool:
    """Whether a text file is about a picture beside it, or looks as if it were about one."""
    return pictures.of(file) is not None or (not is_list(file) and starts_with_numbers(file))


def holds_lines(file: Path) -> bool:
    """Whether a text file under `labels` is about a picture, and no list of names or pictures."""
    return not is_list(file) or starts_with_numbers(file)


def starts_with_numbers(file: Path) -> bool:
    """Whether the first line of a file is one of a thing."""
    words = next(iter(read_text(file).splitlines()), "").split()
    return len(words) >= 5 and all(map(is_numeric, words))


def is_numeric(word: str) -> bool:
    """Whether a word is a number."""
    try:
        float(word)
    except ValueError:
        return False
    return True


class PicturesByStem:
    """The pictures among some files, found by the label file that is about them."""

    def __init__(self, files: list[Path]) -> None:
        self._found: dict[tuple[str, str], list[Path]] = {}
        for file in files:
            if file.suffix.casefold() in SUFFIXES:
                key = (name_key(str(file.parent)), name_key(file.stem))
                self._found.setdefault(key, []).append(file)

    def of(self, file: Path) -> Path | None:
        """The picture beside a label file, or under `images` where that is under `labels`."""
        for place in places_of(file.parent):
            found = self._found.get((name_key(str(place)), name_key(file.stem)))
            if found:
                return min(found, key=lambda path: SUFFIXES.index(path.suffix.casefold()))
        return None


def places_of(folder: Path) -> Iterator[Path]:
    """Where the pictures of a folder of label files may be."""
    yield folder
    index = labels_index(folder / "x")
    if index is not None:
        parts = folder.parts
        yield Path(*parts[:index], _IMAGES, *parts[index + 1 :])
        yield Path(*parts[:index], *parts[index + 1 :])


def read_names(folder: Path) -> list[str]:
    """The names of the classes by number, from a file in a folder or above it.

    ExportError where there is none, which says what was looked for.
    """
    for place in places_of_names(folder):
        names = names_in(place)
        if names is not None:
            return names
    raise ExportError(
        f"There is no file of names for {folder}: looked for {CLASSES}, obj.names, {DATA} in it "
        "and above. Put one there."
    )


def places_of_names(folder: Path) -> list[Path]:
    """Where the files may be that describe a folder, the likeliest first."""
    return [folder, folder / _LABELS, *list(folder.resolve().parents)[:_ABOVE]]


def has_key_points(folder: Path) -> bool:
    """Whether the lines of a folder have key points behind their boxes, as its YAML says."""
    for place in places_of_names(folder):
        files = sorted(filter(is_yaml, place.iterdir())) if place.is_dir() else []
        if files:
            return any(map(tells_key_points, files))
    return False


def tells_key_points(file: Path) -> bool:
    """Whether a file of YAML describes poses; one that cannot be read does not."""
    try:
        return KEY_POINTS in read_yaml(file)
    except ExportError:
        return False


def names_in(place: Path) -> list[str] | None:
    """The names that a file in a folder gives, a plain list before YAML; None where none does."""
    files = sorted(place.iterdir()) if place.is_dir() else []
    for file in (*filter(is_classes, files), *filter(is_yaml, files)):
        names = names_of(file)
        if names is not None:
            return names
    return None


def is_classes(file: Path) -> bool:
    """Whether a file is a plain list of names."""
    return file.name.casefold() in (CLASSES, "labels.txt") or file.suffix.casefold() == ".names"


def is_yaml(file: Path) -> bool:
    """Whether a file is YAML, as Ultralytics describes data sets."""
    return file.suffix.casefold() in (".yaml", ".yml")


def names_of(file: Path) -> list[str] | None:
    """The names in a file; None where it is YAML of another kind."""
    if not is_yaml(file):
        return [name.strip() for name in read_text(file).splitlines()]
    names = read_yaml(file, yaml.BaseLoader).get("names")  # as written: no and 1.0 are names
    return None if names in (None, "") else in_order(names, file)


def read_yaml(file: Path, loader: Any = yaml.SafeLoader) -> dict[str, Any]:
    """What a file of YAML says of a data set; nothing where it is of another kind.

    loader: what its words become; BaseLoader leaves them as they are written.
    """
    try:
        content = yaml.load(read_text(file), loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ExportError(f"{file} cannot be read as YAML ({error}). Export it again.") from error
    return content if isinstance(content, dict) else {}


def in_order(names: Any, file: Path) -> list[str]:
    """The names of a list, or of a table of numbers; unnamed numbers between them are empty."""
    if isinstance(names, dict):
        try:
            numbered = {int(key): name for key, name in names.items()}
            if numbered and (min(numbered) < 0 or max(numbered) > 10 * len(numbered) + 100):
                raise ValueError("its numbers are not those of a list")
        except (TypeError, ValueError) as error:
            raise ExportError(f"{file} has no list of names ({error}).") from error
        names = [numbered.get(k, "") for k in range(max(numbered, default=-1) + 1)]
    if not isinstance(names, list):
        raise ExportError(f"{file} has no list of names (it is a {type(names).__name__}).")
    return [str(name).strip() for name in names]


def read_sizes(folder: Path) -> Known:
    """What `sizes.csv` says; nothing where there is none."""
    if not (folder / SIZES).exists():
        return {}
    rows = csv.DictReader(io.StringIO(read_text(folder / SIZES)))
    try:
        return {
            row["stem"]: (row["file_name"], (int(row["width"]), int(row["height"]))) for row in rows
        }
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise ExportError(f"{folder / SIZES} is not a table of sizes ({error!r}).") from error
