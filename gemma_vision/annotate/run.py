"""Run: a folder annotated from wherever an earlier run of it stopped.

OUT/annotations.json, OUT/images/...   what was asked for with --as
OUT/index.html                         the report
OUT/.annotate/PLAN/000000.jsonl        what was found, kept for the next run
OUT/.annotate/run.json                 what the files of OUT are
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gemma_vision.annotate.executors import Done, Executor
from gemma_vision.annotate.export_run import (
    LABELS,
    LEARNED,
    PICTURES,
    ExportRun,
    files_below,
    put_in_place,
    remove_files,
)
from gemma_vision.annotate.own_files import digests_of, refuse_to_lose
from gemma_vision.annotate.plan import AnnotationPlan
from gemma_vision.annotate.report import FOLDER as REPORT
from gemma_vision.annotate.report import count_rows, write_report
from gemma_vision.annotate.shards import Group, ShardFolder, groups_of
from gemma_vision.annotate.sources import PictureSource, SourceError
from gemma_vision.optimization.atomic_write import write_atomically
from gemma_vision.optimization.folder_lock import locked

if TYPE_CHECKING:
    from gemma_vision.checkpoints.lazy_mask_decoder import LazyMaskDecoder

STATE = ".annotate"
RUN = "run.json"
DRAFT = "draft"
NEEDED = {"plan", "kinds", "files"}  # of what a run says of itself
INTERNAL = ("plan", "kinds", "found", "digests")  # and what of that is of no use to others
READERS = 4  # files that are read side by side
JSON = dict[str, Any]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class AnnotationRun:
    """The pictures of a source, annotated by a plan into a folder.

    kinds: names of `postprocess.EXPORTERS`. decoder: called where masks are written as codes.
    progress: told how many pictures of how many are done, before the first and at each shard.
    """

    source: PictureSource
    folder: Path
    plan: AnnotationPlan
    kinds: Sequence[str]
    decoder: Callable[[], LazyMaskDecoder | None] = lambda: None
    progress: Progress = lambda done, total: None

    def carry_out(self, executor: Executor) -> JSON:
        """Annotate what is left, write what was asked for, and tell what it came to.

        Raises SourceError where there are no pictures, where files would be written among them, or
        where another run has the folder.
        """
        self._check_apart()
        names = self.source.names(without=self.folder)
        if not names:
            raise SourceError(f"There are no pictures in {self.source.address}.")
        self.folder.mkdir(parents=True, exist_ok=True)
        with only_run(self.folder):
            shards, is_new = self._annotate(names, executor)
            known = read_run(self._state / RUN)
            if known is not None and not is_new and self._is_there(known):
                return summary_of(known)
            return self._export(names, shards, known)

    @property
    def _state(self) -> Path:
        return self.folder / STATE

    def _check_apart(self) -> None:
        """Refuse a folder whose files would lie among the pictures, and be taken for more."""
        if not self.source.is_local:
            return
        folder, pictures = (
            Path(os.path.realpath(one)) for one in (self.folder, self.source.address)
        )
        if not pictures.is_relative_to(folder):
            return
        within = pictures.relative_to(folder).parts
        written = (STATE, PICTURES, LABELS, REPORT, *self.kinds)
        if not within or within[0] in written:
            message = f"The files of {self.folder} would be written among the pictures of "
            raise SourceError(f"{message}{self.source.address}; name another folder with --save.")

    def _annotate(self, names: Sequence[str], executor: Executor) -> tuple[ShardFolder, bool]:
        """The shards, all of them there, and whether one of them is new."""
        shards = ShardFolder(self._state / self.plan.key)
        contents = self._contents([name for name in names if name in shards.places])
        groups = groups_of(names)
        todo = [group for group in groups if not shards.holds(group, contents)]
        known = shards.current(contents)
        done = len(names) - sum(len(group.names) for group in todo)
        self.progress(done, len(names))
        moving = {n: known[n] for group in todo for n in group.names if n in known}
        if moving:
            shards.carry(moving)
        missing = [Group(g.number, tuple(n for n in g.names if n not in moving)) for g in todo]
        by_number = {group.number: group for group in todo}
        is_new = len(shards.files()) > len(groups)
        for group, rows in self._work(executor, missing):
            whole = by_number[group.number]
            is_new |= self._store(shards, whole, rows)
            done += len(whole.names)
            self.progress(done, len(names))
        shards.tidy(len(groups))
        return shards, is_new

    def _work(self, executor: Executor, groups: Sequence[Group]) -> Iterator[Done]:
        """What is new in each group: nothing at once, the rest as it is made."""
        yield from ((group, []) for group in groups if not group.names)
        work = executor.run(self.plan, self.source, [group for group in groups if group.names])
        with closing(work):  # type: ignore[type-var]
            yield from work

    def _store(self, shards: ShardFolder, group: Group, rows: Sequence[JSON]) -> bool:
        """Write a shard of rows that are new and of those that were there; whether it changes."""
        fresh = {row["file"]: row for row in rows}
        old = [name for name in group.names if name not in fresh]
        moved = dict(zip(old, shards.read([shards.places[name] for name in old]), strict=True))
        return shards.write(group, [fresh.get(name) or moved[name] for name in group.names])

    def _contents(self, names: Sequence[str]) -> dict[str, str | None]:
        """The digest of each picture that has a line, to see whether it is still the same."""
        with ThreadPoolExecutor(READERS) as readers:
            return dict(zip(names, readers.map(self.source.digest, names), strict=True))

    def _is_there(self, known: JSON) -> bool:
        """Whether the files of OUT are those of this run, and none of them is gone."""
        return (
            known["plan"] == self.plan.key
            and known["kinds"] == list(self.kinds)
            and all((self.folder / name).is_file() for name in known["files"] + known["found"])
        )

    def _export(self, names: Sequence[str], shards: ShardFolder, known: JSON | None) -> JSON:
        """Write the files of OUT anew; what was there of an earlier run and is not now, goes."""
        draft = self._state / DRAFT
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        run = ExportRun(self.source, shards, names, self.decoder())
        counts = count_rows(shards.rows())
        run.write(self.kinds, draft)
        write_report(self.plan, counts, run, draft)
        files = files_below(draft)
        learned = run.pictures_at(self.folder) if LEARNED in self.kinds else {}
        missing = {name: picture for name, (picture, is_there) in learned.items() if not is_there}
        left = left_by(known)
        before = {*left}
        found = {*learned} - {*missing} - before  # somebody else's: they are used, and stay
        digests = digests_of(draft, files)
        whole_files = {*files, *learned} - found
        going = sorted({*files} | ({*missing} - before) | (before - whole_files))
        refuse_to_lose(self.folder, going, left, digests)
        told = {"plan": self.plan.key, "asked": self.plan.to_dict(), "kinds": list(self.kinds)}
        told |= counts.to_dict() | {"found": sorted(found)}
        whole = told | {"files": sorted(whole_files), "digests": digests}
        under_way = {"plan": None, "files": sorted(before | whole_files)}
        self._write_run(told | under_way)  # before anything is written that a later run removes
        run.bring_pictures(missing, draft, self.folder)
        put_in_place(draft, self.folder, files)
        remove_files(self.folder, sorted(before - whole_files))
        self._write_run(whole)
        return summary_of(whole)

    def _write_run(self, told: JSON) -> None:
        write_atomically(self._state / RUN, f"{json.dumps(told, indent=1)}\n")


def summary_of(known: JSON) -> JSON:
    """What a finished run is told as: whatever is of no use to another run of it."""
    return {name: value for name, value in known.items() if name not in INTERNAL}


def left_by(known: JSON | None) -> dict[str, str | None]:
    """The files that earlier runs left, with their digests; None of a picture, and of what a run
    that was killed may have left in two ways.
    """
    digests = (known or {}).get("digests", {})
    return {name: digests.get(name) for name in (known or {}).get("files", ())}


def read_run(path: Path) -> JSON | None:
    """What a run said of itself; None where there was none, or nothing that can be read."""
    try:
        known: JSON = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return {"found": []} | known if isinstance(known, dict) and known.keys() >= NEEDED else None


@contextmanager
def only_run(folder: Path) -> Iterator[None]:
    """Hold a folder; SourceError where another run holds it."""
    with locked(folder) as is_ours:
        if not is_ours:
            message = f"Another run writes into {folder}; wait for it, or name another folder."
            raise SourceError(message)
        yield
