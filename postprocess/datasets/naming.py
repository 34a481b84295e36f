"""Naming: what data sets call pictures, and free names for the files about them.

A data set calls a picture what its file is called, so that it can be found, learned from and
scored. Files about pictures have cleaned names, of which no two may be equal, whatever the case:
many file systems do not tell cases apart.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from pathlib import PurePath, PurePosixPath

from postprocess.datasets.files import safe_name

# of files about all pictures, which those about one would be written over
TAKEN = ("annotations", "label_studio")


def picture_names(paths: Sequence[PurePath]) -> list[str]:
    """What a data set calls some picture files: their own names.

    Where files of several folders share a name, all are called by their paths from the folder that
    holds all of them: seen from there, every picture is where the data set says.
    """
    files = set(paths)
    if len({path.name.casefold() for path in files}) == len(files):
        return [path.name for path in paths]
    root = os.path.commonpath([path.parent for path in files])
    return [path.relative_to(root).as_posix() for path in paths]


def own_or_longer_names(paths: Sequence[tuple[Sequence[str], int]]) -> list[str]:
    """What pictures are called whose paths are known: by as little of them as tells them apart.

    paths: for each its folders and its name, and how many of the last of these belong to its name
    in any case.   a/1.jpg b/1.jpg c/2.jpg, 1 each  ->  "a/1.jpg", "b/1.jpg", "2.jpg"
    One path that is there twice has one name.
    """
    lengths = [length for _, length in paths]
    while True:
        names = ["/".join(p[-length:]) for (p, _), length in zip(paths, lengths, strict=True)]
        named = {(tuple(path), name) for (path, _), name in zip(paths, names, strict=True)}
        counts = Counter(name for _, name in named)
        longer = [
            length + (counts[name] > 1 and length < len(path))
            for (path, _), length, name in zip(paths, lengths, names, strict=True)
        ]
        if longer == lengths:
            return names
        lengths = longer


def free_names(
    names: Sequence[str],
    *,
    taken: Iterable[str] = (),
    alike: Callable[[str], str] = str.casefold,
) -> list[str]:
    """Names of which no two are equal; who comes first keeps its own.

    a.png a.png a-2.png  ->  a.png a-3.png a-2.png

    taken: names that nobody gets. alike: what has to differ of two names, by default more than the
    case of letters.
    """
    gone = set(map(alike, taken))
    wanted = gone | set(map(alike, names))
    free = []
    for name in names:
        if alike(name) in gone:
            name = next(other for other in numbered(name) if alike(other) not in wanted)
        gone.add(alike(name))
        wanted.add(alike(name))
        free.append(name)
    return free


def free_stems(names: Sequence[str]) -> list[str]:
    """For each picture of a data set the name of the files about it, without a suffix."""
    return free_names([safe_stem(name) for name in names], taken=TAKEN)


def safe_stem(name: str) -> str:
    """A picture's name as the beginning of a file's.   "d/a b.jpg"  ->  "d_a_b" """
    path = PurePosixPath(name)
    return safe_name(str(path.parent / path.stem), "picture")


def numbered(name: str) -> Iterator[str]:
    """a.png  ->  a-2.png, a-3.png, ..."""
    stem, dot, suffix = name.rpartition(".")
    if not stem or "/" in suffix:
        stem, dot, suffix = name, "", ""
    return (f"{stem}-{number}{dot}{suffix}" for number in count(2))
