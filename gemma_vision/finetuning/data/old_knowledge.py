"""Old knowledge: what a checkpoint was taught by earlier fine-tunes, found again to be kept.

A tuned folder notes in `taught` what it learned from: the names, where the data lay as seen from
the folder, and a fingerprint. What is found is rehearsed and asked about; what is not is told.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gemma_vision.evaluate import Dataset, DatasetError
from gemma_vision.finetuning.data.dataset_checks import read_folder
from gemma_vision.finetuning.data.fingerprint import fingerprint
from gemma_vision.finetuning.data.splitting import split
from postprocess.instances import CodesToMask

TAUGHT = "taught"  # in the notes of a tuned folder


@dataclass(frozen=True)
class PastRun:
    """One fine-tune that a folder went through. `data` is a path as seen from the folder."""

    names: tuple[str, ...]
    data: str
    fingerprint: str
    seed: int = 1
    held_out: float = 0.15
    pictures: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the notes."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in vars(self).items()}

    @classmethod
    def of(cls, row: dict[str, Any]) -> PastRun:
        """The inverse of `to_dict`; keys of later versions are passed over."""
        known = {key: row[key] for key in cls.__dataclass_fields__ if key in row}
        return cls(**{**known, "names": tuple(known.get("names", ()))})


@dataclass(frozen=True)
class OldData:
    """A data set that is rehearsed, split as it was when it was learned from."""

    title: str
    learned: Dataset
    held: Dataset
    fingerprint: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The names that it is about."""
        return tuple(self.learned.categories)


@dataclass(frozen=True)
class OldKnowledge:
    """What was found of what a checkpoint was taught, and a sentence for each that was not.

    lessons: all that the folder notes, the lost ones too. lost: names that cannot be rehearsed.
    """

    data: tuple[OldData, ...] = ()
    lessons: tuple[PastRun, ...] = ()
    lost: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


def lessons_of(notes: dict[str, Any]) -> list[PastRun]:
    """What a folder's notes say that it was taught."""
    rows = notes.get(TAUGHT)
    return (
        [PastRun.of(row) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    )


def find_old(
    folder: Path,
    notes: dict[str, Any],
    given: Sequence[Path],
    *,
    drawings: Iterable[str],
    decoder: CodesToMask | None,
    seed: int,
    held_out: float,
) -> OldKnowledge:
    """What a checkpoint's folder was taught, and what is to be rehearsed beside it.

    given: data sets that somebody named; one that is a lesson's own counts as that lesson's.
    """
    sets = [read_old(path, decoder, seed, held_out) for path in given]
    known = {one.fingerprint: one for one in sets}
    lessons, found, notices = lessons_of(notes), [], []
    for lesson in lessons:
        data = known.pop(lesson.fingerprint, None) or find_lesson(folder, lesson, decoder)
        if data is None:
            notices.append(
                f"What was taught from {Path(lesson.data).name} ({', '.join(lesson.names)}) is not "
                "there any more, and cannot be rehearsed or asked about; name its pictures by "
                "--rehearse to keep it."
            )
        else:
            found.append(data)
            if data.fingerprint != lesson.fingerprint:
                notices.append(
                    f"{data.title} has changed since it was learned from; it is rehearsed as it is."
                )
    found += known.values()
    kept = {name for one in found for name in one.names} | set(drawings)
    every = dict.fromkeys([*notes.get("names", ()), *(n for one in lessons for n in one.names)])
    lost = tuple(name for name in every if name not in kept)
    return OldKnowledge(tuple(found), tuple(lessons), lost, tuple(notices))


def find_lesson(folder: Path, lesson: PastRun, decoder: CodesToMask | None) -> OldData | None:
    """The data of a lesson; None where it is not there or cannot be read any more."""
    path = folder / lesson.data
    if not lesson.data or not path.exists():
        return None
    try:
        return read_old(path, decoder, lesson.seed, lesson.held_out)
    except DatasetError:
        return None


def read_old(path: Path, decoder: CodesToMask | None, seed: int, held_out: float) -> OldData:
    """A data set to rehearse, with a part that is only asked about."""
    dataset = read_folder(path, decoder=decoder, seed=seed)
    learned, held = split(dataset, held_out, seed)
    return OldData(path.resolve().name, learned, held, fingerprint(dataset))


def seen_from(folder: Path, data: Path) -> str:
    """Where a data set lies as seen from a folder: no path that begins at the root."""
    try:
        return Path(os.path.relpath(data.resolve(), folder.resolve())).as_posix()
    except ValueError:  # another drive
        return data.resolve().name
