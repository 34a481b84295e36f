"""Picture files of a data set: where they are, and how large. Only headers are read.

A data set may call its pictures by paths of another machine. Names are looked for within its folder
and never lead out of it.
"""

import os
import re
import unicodedata
import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from PIL import Image

from postprocess.datasets.files import ExportError
from postprocess.datasets.notices import Notices
from postprocess.datasets.numbers import read_whole
from postprocess.heic import register_heic

HEIC = (".heic", ".heif")  # what phones write; Pillow reads them once a package is installed
# those of `gemma_vision.images.file_formats`, the likeliest first
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", *HEIC)
MAX_SIDE = 16_384  # pixels, as `gemma_vision.images.limits` has it
MAX_PIXELS = 80_000_000

_ORIENTATION = 0x0112  # the EXIF tag; 5 to 8 swap the sides
_UPLOADED = re.compile(r"[0-9a-f]{8}-(?P<name>.+)")  # what Label Studio calls an upload
_DEPTH = 4  # folders below the data set's own that are searched for pictures

Size = tuple[int, int]


def upright_size(path: Path) -> Size:
    """(width, height) of a picture file as it is looked at, its header read only."""
    is_unread = path.suffix.casefold() in HEIC and not register_heic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                width, height = image.size
                is_lying = image.getexif().get(_ORIENTATION, 1) >= 5
    except Exception as error:  # decoders raise all sorts on damaged files
        remedy = 'Save it as JPEG, or have it read: pip install "gemma-vision[heic]"'
        told = f"is not a picture that can be read ({error})"
        said = f"is a HEIC picture. {remedy}" if is_unread else told
        raise ExportError(f"{path.name} {said}.") from error
    return check_size((height, width) if is_lying else (width, height), path.name)


def check_size(size: Size, name: str) -> Size:
    """The same size; ExportError where no picture has it."""
    width, height = size
    if min(size) < 1 or max(size) > MAX_SIDE or width * height > MAX_PIXELS:
        raise ExportError(
            f"{name} is said to be {width} x {height}; a picture has at least 1 x 1, at most "
            f"{MAX_SIDE} a side and {MAX_PIXELS // 1_000_000} million pixels. Correct it."
        )
    return size


def read_size(width: Any, height: Any, name: str) -> Size | None:
    """What a file says of a picture's size; None where it says nothing that is one."""
    wide, high = read_whole(width), read_whole(height)
    if wide is None or high is None or (wide, high) == (0, 0):
        return None
    return check_size((wide, high), name)


def two_sizes(name: str, *sizes: Size) -> ExportError:
    """What is told of a picture that a data set lists with more than one size."""
    said = " and as ".join(f"{width} x {height}" for width, height in sizes)
    return ExportError(f"{name} is listed as {said}; a picture has one size. Correct it.")


def name_parts(name: str) -> tuple[str, ...]:
    """The folders and the file of a name, without what leads out of a folder.

    "C:\\\\data\\\\a\\\\1.jpg" -> ("data", "a", "1.jpg");   "../b/1.jpg" -> ("b", "1.jpg")
    "https://host/a%20b/1.jpg?key=x" -> ("a b", "1.jpg")
    """
    if "://" in name:
        name = unquote(urlsplit(name).path)
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return tuple(part for part in parts if part not in ("/", "//", "..") and part[-1:] != ":")


def name_key(name: str) -> str:
    """What is equal for names that one file answers to: case and the form of accents apart."""
    return unicodedata.normalize("NFC", name).casefold()


class PictureFinder:
    """Finds the pictures of a data set under some folders, the likeliest folder first."""

    def __init__(self, places: Sequence[Path]) -> None:
        self.places = list(dict.fromkeys(places))

    def find(self, name: str) -> Path | None:
        """The file that a data set calls so; None where there is none, or more than one could be.

        Its whole path is tried first, then ever less of the folders that it names; at last its
        name before it was uploaded to Label Studio.
        """
        if path := self.find_exactly(name):
            return path
        parts = name_parts(name)
        for start in range(len(parts)):
            if path := self._beside("/".join(parts[start:])):
                return path
        if path := self._search(parts):
            return path
        uploaded = _UPLOADED.fullmatch(parts[-1]) if parts else None
        return None if uploaded is None else self.find(uploaded["name"])

    def find_exactly(self, name: str) -> Path | None:
        """The file of this very name in one of the folders; a name may hold a back slash."""
        return self._beside(name) if name and "/" not in name else None

    def _beside(self, name: str) -> Path | None:
        return next((place / name for place in self.places if is_file(place / name)), None)

    def _search(self, parts: tuple[str, ...]) -> Path | None:
        """The only one of the files of that name whose folders agree with most of the name's."""
        if not parts:
            return None
        wanted = [name_key(part) for part in reversed(parts)]
        best: dict[int, list[Path]] = {}
        for path in self._by_name.get(wanted[0], ()):
            there = [name_key(part) for part in reversed(path.parts)]
            same = takewhile(lambda pair: pair[0] == pair[1], zip(wanted, there, strict=False))
            best.setdefault(len(list(same)), []).append(path)
        found = best[max(best)] if best else []
        return found[0] if len(found) == 1 else None

    @cached_property
    def _by_name(self) -> dict[str, list[Path]]:
        files = dict.fromkeys(path for place in self.places for path in walk_files(place))
        found: dict[str, list[Path]] = {}
        for path in files:
            found.setdefault(name_key(path.name), []).append(path)
        return found


def called_as(file: Path, root: Path, finder: PictureFinder) -> Path | None:
    """The picture that is called as a file below a folder, but for the suffix; None without one."""
    name = file.relative_to(root).with_suffix("").as_posix()
    return next(filter(None, (finder.find(f"{name}{suffix}") for suffix in SUFFIXES)), None)


def is_other_name(name: str, path: Path) -> bool:
    """Whether a picture is called otherwise than its file is, its suffix apart."""
    return name_key(path.stem) not in (name_key(name), name_key(PurePosixPath(name).stem))


def shared_files(found: Iterable[tuple[str, Path]]) -> Iterator[str]:
    """A sentence for each picture that was found as the file of another.

    found: what each is called, and its file.   train/a.png val/a.png, where there is only a.png
    """
    first: dict[Path, str] = {}
    for name, path in found:
        other = first.setdefault(path, name)
        if other != name:
            yield (
                f"{other} and {name} are both found as {path}, which can be one of them only; put "
                "each where its name says."
            )


def compare_sizes(known: Iterable[tuple[str, Size]], data: Path, notices: Notices) -> None:
    """Tell of pictures that are there and are of another size than the data set says.

    known: what each is called, and its size. data: the data set's file or folder.
    """
    finder = PictureFinder([data if data.is_dir() else data.parent])
    for name, size in known:
        path = finder.find(name)
        try:
            there = size if path is None else upright_size(path)
        except ExportError:
            continue  # no picture that can be read: nothing is known of it
        if there != size:
            said = (f"{width} x {height}" for width, height in (there, size))
            notices.add("size", f"{name}, {' instead of '.join(said)}")


def walk_files(folder: Path, depth: int = _DEPTH) -> Iterator[Path]:
    """Every file of a folder and of those within it, in order, without hidden ones."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from walk_files(Path(entry.path), depth - 1) if depth else ()
        else:
            yield Path(entry.path)


def is_file(path: Path) -> bool:
    """Whether there is such a file; a name that no file can have is none."""
    try:
        return path.is_file()
    except OSError:
        return False
