"""Own files: what a folder holds that is not as an earlier run of this program left it.

A data set that somebody corrected, or had there before, is never replaced or removed by a run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from gemma_vision.annotate.sources import SourceError, digest_of


def digests_of(folder: Path, names: Sequence[str]) -> dict[str, str]:
    """The SHA-256 of every file, by its path from the folder."""
    return {name: digest_of((folder / name).read_bytes()) for name in names}


def refuse_to_lose(
    folder: Path, going: Collection[str], left: Mapping[str, str | None], new: Mapping[str, str]
) -> None:
    """Raise SourceError where one of the files that are about to go is somebody's own.

    left: what earlier runs left there, with the digest where it is known; new: the digests of what
    is about to take their places, for what is the same loses nothing.
    """
    own = [name for name in going if is_own(folder / name, name, left, new)]
    if own:
        more = f" and {len(own) - 1} more" if len(own) > 1 else ""
        message = f"{folder / own[0]}{more} would be lost, which no run of annotate left so"
        raise SourceError(f"{message}; move that away, or name another folder with --save.")


def is_own(path: Path, name: str, left: Mapping[str, str | None], new: Mapping[str, str]) -> bool:
    """Whether there is a file that no run left so, and none is about to write so."""
    if not path.is_file() or (name in left and left[name] is None):
        return False
    return digest_of(path.read_bytes()) not in (left.get(name), new.get(name))
