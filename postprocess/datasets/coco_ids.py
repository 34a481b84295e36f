"""Ids of annotation files: which picture and which name a row means, however it says so.

Programs write ids as numbers or as text, from 0 or from 1, leave them out, or give the name of the
file in their place.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from postprocess.datasets.coco_file import Category
from postprocess.datasets.files import ExportError
from postprocess.datasets.notices import Notices
from postprocess.datasets.numbers import read_whole
from postprocess.tokens import folded

JSON = dict[str, Any]


def id_key(value: Any) -> Hashable:
    """What is equal for ids that mean one thing.   1, "1" and 1.0  ->  1,   "01"  ->  "01" """
    whole = read_whole(value)
    if isinstance(value, str) and str(whole) != value.strip().removesuffix(".0"):
        return value or None
    return whole


def number_rows(values: Sequence[Any]) -> list[int]:
    """The ids of rows as numbers: their own where these are whole and all different, else 1, 2, ..

    Computing with them needs both.
    """
    own = [read_whole(value) for value in values]
    kept = [number for number in own if number is not None]
    if len(kept) == len(own) == len(set(kept)):
        return kept
    return list(range(1, len(own) + 1))


class PictureIds:
    """Finds the picture of an annotation by its id, or by its file's name with suffix or without.

    Raises ExportError where two pictures have one id. A row that repeats another is not a second
    picture: `rows` are those that are one.
    """

    def __init__(self, rows: Iterable[JSON]) -> None:
        self.rows: list[JSON] = []
        self._by_id: dict[Hashable, int] = {}
        self._by_name: dict[str, int | None] = {}
        for row in rows:
            self._add(row)

    def _add(self, row: JSON) -> None:
        key, name = id_key(row.get("id")), str(row.get("file_name"))
        known = self._by_id.get(key) if key is not None else None
        if known is not None:
            other = str(self.rows[known].get("file_name"))
            if other == name:
                return
            raise ExportError(
                f"Two pictures have the id {row.get('id')}: {other} and {name}. Number them anew."
            )
        index = len(self.rows)
        self.rows.append(row)
        if key is not None:
            self._by_id[key] = index
        path = PurePosixPath(name.replace("\\", "/"))
        for called in {name, path.name, path.stem}:
            self._by_name[called] = None if called in self._by_name else index

    def find(self, value: Any) -> int | None:
        """The index in `rows` of the picture that an annotation's image_id means."""
        if value is None:
            return None
        found = self._by_id.get(id_key(value), self._by_name.get(str(value)))
        return self._by_id.get(read_whole(value)) if found is None else found


class CategoryIds:
    """Finds the name that an annotation's category_id means: by id, or by the name itself.

    Two categories of one name are one, whatever the case of their letters.
    """

    def __init__(self, rows: Iterable[JSON]) -> None:
        self._rows = list(rows)
        self._by_id: dict[Hashable, int] = {}
        self._by_name: dict[str, int] = {}
        for index, row in enumerate(self._rows):
            key, name = id_key(row.get("id")), folded(self.name_of(index))
            other = self._by_id.setdefault(key, index) if key is not None else index
            if folded(self.name_of(other)) != name:
                raise ExportError(
                    f"Two categories have the id {row.get('id')}: {self.name_of(other)!r} and "
                    f"{self.name_of(index)!r}. Number them anew."
                )
            self._by_name.setdefault(name, index)

    def name_of(self, index: int) -> str:
        """The name of a row, spaces around it taken off and runs of them made one."""
        name = self._rows[index].get("name")
        if name is None or isinstance(name, (list, dict)):
            said = self._rows[index].get("id")
            raise ExportError(f"The category with the id {said} has no name. Give it one.")
        return " ".join(str(name).split())

    def find(self, value: Any) -> int | None:
        """The index of the row that an annotation means."""
        found = self._by_id.get(id_key(value))
        if found is not None or value is None:
            return found
        return self._by_name.get(folded(str(value)))

    def settle(self, used: set[int], notices: Notices) -> tuple[list[Category], dict[int, str]]:
        """The data set's names in order, and for each row that is used the name it has among them.

        Unused rows are left out where they repeat a name, or stand for all others: Roboflow writes
        one of either kind.
        """
        keys = [folded(self.name_of(index)) for index in range(len(self._rows))]
        owners = {keys[index]: index for index in sorted(used, reverse=True)}
        for index in sorted(used - set(owners.values())):
            notices.add("same_name", self.name_of(index))
        for index, key in enumerate(keys):
            if index not in used and not self._is_root(index):
                owners.setdefault(key, index)
        categories = [
            Category(self._rows[index].get("id"), self.name_of(index))
            for index in sorted(owners.values())
        ]
        return categories, {index: self.name_of(owners[keys[index]]) for index in used}

    def _is_root(self, index: int) -> bool:
        """Whether a row is what all others are kinds of: the only one that is a kind of "none"."""
        tops = [row for row in self._rows if row.get("supercategory") == "none"]
        return len(self._rows) > 1 and tops == [self._rows[index]]


def rows_of(data: Mapping[str, Any], key: str) -> list[JSON]:
    """A list of the file's rows; ValueError where it is none. Annotations may be missing."""
    rows = data.get(key)
    if rows is None and key == "annotations":
        return []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{key} is not a list of objects")
    return rows
