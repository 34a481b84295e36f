"""The rows of a COCO file, turned into pictures, names and things that agree with each other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from postprocess.coordinate_conventions import Box, Point
from postprocess.datasets.coco_boxes import RawBox, settle_boxes
from postprocess.datasets.coco_file import CocoFile, CocoPicture, CocoThing
from postprocess.datasets.coco_ids import JSON, CategoryIds, PictureIds, id_key, rows_of
from postprocess.datasets.edges import nearest_point
from postprocess.datasets.files import ExportError
from postprocess.datasets.notices import Notices
from postprocess.datasets.numbers import is_true, read_number, read_numbers, read_whole
from postprocess.datasets.picture_files import PictureFinder, Size, read_size, upright_size
from postprocess.datasets.segmentations import (
    Segmentation,
    are_ring_shares,
    as_json,
    extent_of,
    read_segmentation,
)


def read_rows(data: JSON, path: Path, finder: PictureFinder, notices: Notices) -> CocoFile:
    """The data set that the object of a file stands for. ExportError says what is wrong."""
    return _Rows(data, finder, notices).file(path)


@dataclass(frozen=True)
class _Annotation:
    """A row of a listed picture and a listed name, both by their index in the file."""

    row: JSON
    picture: int
    category: int
    where: str


class _Rows:
    """One file on its way to a data set."""

    def __init__(self, data: JSON, finder: PictureFinder, notices: Notices) -> None:
        self.data, self.finder, self.notices = data, finder, notices
        self.pictures = PictureIds(rows_of(data, "images"))
        if not self.pictures.rows:
            raise ExportError("It lists no pictures.")
        self.names = CategoryIds(rows_of(data, "categories"))

    def file(self, path: Path) -> CocoFile:
        """Everything, put together."""
        annotations = list(self.annotations())
        used = {one.category for one in annotations}
        categories, called = self.names.settle(used, self.notices)
        things = self.things(annotations, called)
        pictures = [
            CocoPicture(row.get("id"), name, size, tuple(things.get(index, ())))
            for index, (row, (name, size)) in enumerate(
                zip(self.pictures.rows, self.listed, strict=True)
            )
        ]
        return CocoFile(path, tuple(pictures), tuple(categories), self.seed(), self.finder)

    @cached_property
    def listed(self) -> list[tuple[str, Size]]:
        """The name and the size of each picture, the size from its file where the row has none."""
        return [(self.file_name(row), self.size(row)) for row in self.pictures.rows]

    def annotations(self) -> Iterator[_Annotation]:
        """Those of listed pictures, none twice; an unknown name is refused."""
        rows, seen, lost = rows_of(self.data, "annotations"), set(), 0
        for row in rows:
            where, index = f"annotation {row.get('id')}", self.pictures.find(row.get("image_id"))
            if index is None:
                self.notices.add("no_picture", where)
                lost += 1
                continue
            category = self.names.find(row.get("category_id"))
            if category is None:
                error = ExportError(
                    f"Annotation {row.get('id')} is of the category {row.get('category_id')}, "
                    "which is not listed. List it."
                )
                self.notices.fault(error)
                continue
            where = f"{where} of {self.listed[index][0]}"
            said = (id_key(row.get("id")), index, category, str(row.get("bbox")))
            if said[0] is not None and said in seen:
                self.notices.add("copy", where)
                continue
            seen.add(said)
            yield _Annotation(row, index, category, where)
        if rows and lost == len(rows):
            raise ExportError("None of its annotations is of a picture that it lists.")

    def things(
        self, annotations: Sequence[_Annotation], called: Mapping[int, str]
    ) -> dict[int, list[CocoThing]]:
        """The things of each picture, in the order of the file; those without a box left out."""
        masks = self.segmentations(annotations)
        raw = [self.raw_box(one, mask) for one, mask in zip(annotations, masks, strict=True)]
        points = [
            read_point(one.row, box, self.notices)
            for one, box in zip(annotations, raw, strict=True)
        ]
        boxed = [box for box, point in zip(raw, points, strict=True) if point is None]
        settled = iter(settle_boxes(boxed, self.notices))
        boxes = [next(settled) if point is None else (*point, *point) for point in points]
        crowds = self.crowds(annotations)
        found: dict[int, list[CocoThing]] = {}
        for one, mask, box, is_crowd, point in zip(
            annotations, masks, boxes, crowds, points, strict=True
        ):
            if box is not None:
                if is_crowd:
                    self.notices.add("crowd", one.where)
                if point is None and any(read_numbers(one.row.get("keypoints")) or ()):
                    self.notices.add("pose", one.where)
                label, score = called[one.category], read_number(one.row.get("score"))
                thing = CocoThing(one.row.get("id"), label, box, mask, is_crowd, score, point)
                found.setdefault(one.picture, []).append(thing)
        return found

    def segmentations(self, annotations: Sequence[_Annotation]) -> list[Segmentation | None]:
        """Their masks, checked; the corners of all in pixels, or of all in shares of the sides."""
        values = [as_json(one.row.get("segmentation")) for one in annotations]
        is_share = are_ring_shares(values)
        if is_share:
            self.notices.add_sentence("The outlines are shares of their pictures and read as such.")
        sizes = [self.listed[one.picture][1] for one in annotations]
        return [
            read_segmentation(
                value,
                size,
                scale=size if is_share else (1, 1),
                where=one.where,
                notices=self.notices,
            )
            for one, value, size in zip(annotations, values, sizes, strict=True)
        ]

    def raw_box(self, one: _Annotation, mask: Segmentation | None) -> RawBox:
        """What the row says of its box."""
        size = self.listed[one.picture][1]
        numbers = read_numbers(one.row.get("bbox"))
        values = numbers if numbers is not None and len(numbers) == 4 else None
        extent: Box | None = None if mask is None else extent_of(mask, size)
        return RawBox(values, size, extent, read_number(one.row.get("area")), one.where)

    def crowds(self, annotations: Sequence[_Annotation]) -> list[bool]:
        """Which things are crowds; none where all are, as CVAT marks masks drawn with a brush."""
        crowds = [is_true(one.row.get("iscrowd")) for one in annotations]
        if crowds and all(crowds):
            self.notices.add_sentence(
                "Everything is marked as a crowd; it counts as single things."
            )
            return [False] * len(crowds)
        return crowds

    def file_name(self, row: JSON) -> str:
        """What a row calls its picture, folders parted by / where no file is called otherwise."""
        name = row.get("file_name")
        if not isinstance(name, str) or not name.strip():
            raise ExportError(f"The picture with the id {row.get('id')} has no file_name. Name it.")
        is_path = "\\" in name and self.finder.find_exactly(name) is None
        return name.replace("\\", "/") if is_path else name

    def size(self, row: JSON) -> Size:
        """A picture's (width, height)."""
        name = self.file_name(row)
        size = read_size(row.get("width"), row.get("height"), name)
        if size is not None:
            return size
        path = self.finder.find(name)
        if path is None:
            raise ExportError(f"{name} has no width and height, and is not there. Give its size.")
        return upright_size(path)

    def seed(self) -> int:
        """`info.seed`, 0 where there is none that can be used."""
        info: Any = self.data.get("info")
        said = info.get("seed") if isinstance(info, dict) else None
        seed = read_whole(said)
        if said is not None and (seed is None or seed < 0):
            self.notices.add_sentence(f"info.seed is {str(said)[:40]!r}; 0 is used in its place.")
        return seed if seed is not None and seed >= 0 else 0


def read_point(row: JSON, box: RawBox, notices: Notices) -> Point | None:
    """x, y of an annotation that is one key point with an empty box; None of any other."""
    numbers = read_numbers(row.get("keypoints"))
    if numbers is None or len(numbers) != 3 or box.extent or (box.values and any(box.values[2:])):
        return None
    return nearest_point((numbers[0], numbers[1]), box.size, box.where, notices)
