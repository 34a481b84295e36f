"""Shards: what was found, kept in files of a few pictures each, whole or not there.

A shard's place is that of its pictures among all in order, and its lines say nothing of when they
were made, so that shards made in whatever order, by whomever, come to the same files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gemma_vision.optimization.atomic_write import write_atomically

SIZE = 16  # pictures of a shard: what an interruption loses, at most, of each worker's work
CARRIED = "carried.jsonl"  # lines on their way to another shard
JSON = dict[str, Any]


@dataclass(frozen=True)
class Group:
    """The pictures of one shard."""

    number: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class RowPlace:
    """Where a picture's line is, and of which bytes it tells (None: they could not be read)."""

    content: str | None
    file: Path
    line: int


def groups_of(names: Sequence[str]) -> list[Group]:
    """The names in order, cut into shards."""
    starts = range(0, len(names), SIZE)
    return [Group(n, tuple(names[at : at + SIZE])) for n, at in enumerate(starts)]


class ShardFolder:
    """The shards of one plan. `places` tells which pictures have a line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.places: dict[str, RowPlace] = {}
        self._counts: dict[Path, int] = {}
        for path in [folder / CARRIED, *self.files()]:
            rows = read_rows(path)
            self._counts[path] = len(rows)
            for line, row in enumerate(rows):
                self.places[row["file"]] = RowPlace(row["sha256"], path, line)

    def files(self) -> list[Path]:
        """The shards there are, in order."""
        return sorted(path for path in self.folder.glob("*.jsonl") if path.name != CARRIED)

    def path_of(self, number: int) -> Path:
        """The file of a shard."""
        return self.folder / f"{number:06d}.jsonl"

    def holds(self, group: Group, contents: Mapping[str, str | None]) -> bool:
        """Whether a shard has just these pictures, of these bytes."""
        path = self.path_of(group.number)
        return self._counts.get(path) == len(group.names) and all(
            contents.get(name) is not None
            and self.places.get(name) == RowPlace(contents[name], path, line)
            for line, name in enumerate(group.names)
        )

    def current(self, contents: Mapping[str, str | None]) -> dict[str, RowPlace]:
        """The pictures whose line tells of the bytes that they have now."""
        return {
            name: place
            for name, place in self.places.items()
            if place.content is not None and place.content == contents.get(name)
        }

    def read(self, places: Iterable[RowPlace]) -> list[JSON]:
        """The lines at these places."""
        files: dict[Path, list[JSON]] = {}
        for place in places:
            files.setdefault(place.file, [])
        for path in files:
            files[path] = list(read_rows(path))
        return [files[place.file][place.line] for place in places]

    def carry(self, places: Mapping[str, RowPlace]) -> None:
        """Bring lines to safety that are to move to other shards; `tidy` lets go of them."""
        path = self.folder / CARRIED
        write_rows(path, self.read(list(places.values())))
        for line, (name, place) in enumerate(places.items()):
            self.places[name] = RowPlace(place.content, path, line)

    def write(self, group: Group, rows: Sequence[JSON]) -> bool:
        """Write a shard whole or not at all; whether it held anything else before.

        It is on the disk when this returns.
        """
        path = self.path_of(group.number)
        if read_rows(path) == list(rows):
            return False
        write_rows(path, rows)
        return True

    def rows(self) -> Iterator[JSON]:
        """Every line of every shard, in order."""
        for path in self.files():
            yield from read_rows(path)

    def tidy(self, count: int) -> None:
        """Drop what is left over of shards when `count` of them hold everything."""
        (self.folder / CARRIED).unlink(missing_ok=True)
        wanted = {self.path_of(number) for number in range(count)}
        for path in [*self.files(), *self.folder.glob(".*.new")]:  # half-written ones are hidden
            if path not in wanted:
                path.unlink()


def write_rows(path: Path, rows: Iterable[JSON]) -> None:
    """Write lines whole or not at all. Halves of characters in names are written as escapes."""
    write_atomically(path, "".join(f"{json.dumps(row)}\n" for row in rows))


def read_rows(path: Path) -> list[JSON]:
    """The lines of a shard; none where it is not there or was damaged: it is made again then."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
        rows = [json.loads(line) for line in lines]
        return [row for row in rows if {"file", "sha256"} <= row.keys()]
    except (OSError, ValueError, AttributeError):
        return []
