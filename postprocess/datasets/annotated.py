"""Annotated: a picture's name, its size and what is in it; labels and boxes as formats want."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, overload

from PIL import Image

from postprocess.coordinate_conventions import Box, Pixels
from postprocess.datasets.files import ExportError
from postprocess.datasets.naming import free_names, free_stems, numbered, safe_stem
from postprocess.datasets.notices import Notices
from postprocess.instances import CodesToMask, Instance, Mask, MaskToCodes
from postprocess.mask_formats import extent

# What XML 1.0 leaves out: control characters, surrogates and two that are no characters.
_CONTROLS = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Codec(CodesToMask, MaskToCodes, Protocol):
    """Masks to codes and back; `MaskDecoder` is one. Use the one of the model to be trained."""


@dataclass(frozen=True, eq=False)
class Annotated:
    """What is known of one picture. `size` is (width, height) of the upright picture.

    `image` is needed by the exports that show pixels only. `file_name` is what data sets call it,
    `files` how the files about it begin where its own name, cleaned, is not free (see `apart`).
    `codec` turns masks into codes and back, for lines of PaliGemma. `words` are a prompt and what
    was answered to it where that is words and no things.
    """

    file_name: str
    size: tuple[int, int]
    instances: Sequence[Instance]
    image: Image.Image | None = None
    files: str | None = None
    codec: Codec | None = None
    words: tuple[str, str] | None = None

    @property
    def stem(self) -> str:
        """A name for files about the picture, without folder and suffix."""
        return self.files or safe_stem(self.file_name)

    @property
    def pixels(self) -> Image.Image:
        """The picture itself; ExportError where only its size is known."""
        if self.image is None:
            raise ExportError(
                f"This export shows pixels, but of {self.file_name} only the size is known. "
                "Give the picture too."
            )
        return self.image


class LazyInstances(Sequence[Instance]):
    """Instances that are made each time they are looked at, so that no mask is kept."""

    def __init__(self, drawers: Sequence[Callable[[], Instance]]) -> None:
        self._drawers = drawers

    @classmethod
    def checked(cls, makers: Iterable[Callable[[], Instance | None]]) -> "LazyInstances":
        """Those of which something comes, each tried once; what has no mask is kept as it is."""
        return cls([drawer for make in makers if (drawer := _drawer(make)) is not None])

    def __len__(self) -> int:
        return len(self._drawers)

    @overload
    def __getitem__(self, index: int) -> Instance: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Instance]: ...

    def __getitem__(self, index: int | slice) -> Instance | Sequence[Instance]:
        if isinstance(index, slice):
            return LazyInstances(self._drawers[index])
        return self._drawers[index]()


def _drawer(make: Callable[[], Instance | None]) -> Callable[[], Instance] | None:
    made = make()
    if made is None:
        return None
    return partial(_again, make) if made.mask is not None else partial(_same, made)


def _again(make: Callable[[], Instance | None]) -> Instance:
    made = make()
    assert made is not None, "it was made before"
    return made


def _same(instance: Instance) -> Instance:
    return instance


def apart(pictures: Sequence[Annotated], notices: Notices | None = None) -> list[Annotated]:
    """The same pictures, no two of one name, and none whose files would have the name of another's.

    Who comes later under a name that is taken gets a number, which leaves a notice.
    """
    names = free_names([picture.file_name for picture in pictures], alike=str)
    for picture, name in zip(pictures, names, strict=True):
        if notices is not None and name != picture.file_name:
            notices.add("renamed", f"{picture.file_name} is written as {name}")
    return [
        replace(one, file_name=name, files=stem)
        for one, name, stem in zip(pictures, names, free_stems(names), strict=True)
    ]


def with_own_files(pictures: Iterable[Annotated]) -> Iterator[Annotated]:
    """The same pictures, one at a time; of two whose files would share a name the later gets a
    number.   a.png a.jpg  ->  a.json a-2.json
    """
    owners: dict[str, str] = {}
    for picture in pictures:
        name = picture.file_name
        if owners.setdefault(picture.stem.casefold(), name) != name:
            others = numbered(picture.stem)
            stem = next(one for one in others if owners.setdefault(one.casefold(), name) == name)
            picture = replace(picture, files=stem)
        yield picture


def on_one_line(text: str) -> str:
    """A label for formats that keep one thing on a line: runs of space become one space."""
    return " ".join(text.split())


def without_points(picture: Annotated, notices: Notices) -> Annotated:
    """A picture without its points, each of which leaves a notice."""
    places = []
    for place, instance in enumerate(picture.instances):
        if instance.point is None:
            places.append(partial(picture.instances.__getitem__, place))
        else:
            notices.add("point", f"{instance.name!r} in {picture.file_name}")
    return replace(picture, instances=LazyInstances(places))


def refuse_points(pictures: Iterable[Annotated], form: str) -> list[Annotated]:
    """The pictures, unless one has a point, which the form cannot hold: ExportError then."""
    pictures = list(pictures)
    for picture in pictures:
        points = sum(one.point is not None for one in picture.instances)
        if points:
            raise ExportError(
                f"{form} has no points, and {picture.file_name} has {points}. Leave them out, or "
                "take coco, labelme, csv, svg or voc."
            )
    return pictures


def without_controls(text: str) -> str:
    """A text without the characters that XML cannot hold."""
    return _CONTROLS.sub("\ufffd", text)


def within(box: Box, size: tuple[int, int]) -> Box:
    """A box without what lies outside a picture of (width, height)."""
    (x0, y0, x1, y1), (width, height) = box, size
    return max(x0, 0.0), max(y0, 0.0), min(x1, width), min(y1, height)


def whole_box(box: Box, mask: Mask | None, size: tuple[int, int]) -> Pixels:
    """The smallest whole-pixel box around a box and its mask, within the picture."""
    x0, y0, x1, y1 = math.floor(box[0]), math.floor(box[1]), math.ceil(box[2]), math.ceil(box[3])
    if mask is not None and mask.any():
        left, top, right, bottom = extent(mask)
        x0, y0, x1, y1 = min(x0, left), min(y0, top), max(x1, right), max(y1, bottom)
    return max(x0, 0), max(y0, 0), min(x1, size[0]), min(y1, size[1])
