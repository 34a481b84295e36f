"""What a COCO file says: pictures, things and names, before anything is drawn."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from postprocess.coordinate_conventions import Box, Point
from postprocess.datasets.notices import Notices
from postprocess.datasets.picture_files import PictureFinder, Size, two_sizes
from postprocess.datasets.segmentations import Segmentation
from postprocess.mask_formats import Mask, mask_from_coco


@dataclass(frozen=True)
class CocoThing:
    """An annotation: `id` as the file has it, `box` x0, y0, x1, y1 in pixels.

    A point is x, y in pixels, and its box the empty one at that place.
    """

    id: Any
    label: str
    box: Box
    segmentation: Segmentation | None
    is_crowd: bool
    score: float | None
    point: Point | None = None

    def mask(self, size: Size) -> Mask | None:
        """Its (H, W) mask in a picture of (W, H); None where it has none."""
        return mask_from_coco(self.segmentation, size)


@dataclass(frozen=True)
class CocoPicture:
    """A listed picture and what is annotated in it, in the order of the file."""

    id: Any
    file_name: str
    size: Size
    things: tuple[CocoThing, ...]


@dataclass(frozen=True)
class Category:
    """A name of the data set; `id` is as the file has it."""

    id: Any
    name: str


@dataclass(frozen=True)
class CocoFile:
    """A whole data set. `seed` is `info.seed`, 0 where there is none; `finder` finds pictures."""

    path: Path
    pictures: tuple[CocoPicture, ...]
    categories: tuple[Category, ...]
    seed: int
    finder: PictureFinder


def listed_once(file: CocoFile, notices: Notices) -> CocoFile:
    """The data set with every picture once: one file under several ids has the things of all,
    those that are written again under another id once."""
    pictures: dict[str, CocoPicture] = {}
    for picture in file.pictures:
        known = pictures.setdefault(picture.file_name, picture)
        if known is picture:
            continue
        if known.size != picture.size:
            notices.fault(two_sizes(picture.file_name, known.size, picture.size))
            continue
        notices.add("listed_again", picture.file_name)
        held = {(one.label, one.box) for one in known.things}
        fresh = tuple(one for one in picture.things if (one.label, one.box) not in held)
        pictures[picture.file_name] = replace(known, things=known.things + fresh)
        for _ in range(len(picture.things) - len(fresh)):
            notices.add("copy", picture.file_name)
    return replace(file, pictures=tuple(pictures.values()))
