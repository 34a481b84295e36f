"""Name cutting: a part of a text cut into names where a mark stands between names.

A mark is no end of a name by itself: "salt and pepper" may be one, and so may words with kana.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gemma_vision.requests.interpretation.phrases import (
    BETWEEN,
    BETWEEN_ABROAD,
    KANA_BETWEEN,
    core,
    tidy,
)
from gemma_vision.requests.interpretation.vocabulary import Match, Vocabulary

MAX_MARKS = 32  # in one part that are weighed; where there are more it is cut at each


def pieces_of(part: str, vocabulary: Vocabulary) -> Iterator[Match | str]:
    """The names in a part, cut where a mark stands between names; as a string what is none."""
    if part in vocabulary.names:  # as most are written
        yield Match(part, part)
        return
    said = vocabulary.apart(part)
    if len(said) > 1:  # what is left between signs may be no more than "and a"
        said = [one for one in said if vocabulary.find(one) or core(BETWEEN.sub(" ", one))]
    for piece in (piece for one in said for piece in cut_at_marks(one, vocabulary)):
        if match := vocabulary.find(piece):
            yield match
        else:
            yield from vocabulary.find_all(piece) or (piece,)


@dataclass(frozen=True)
class Cutting:
    """A beginning of a part in pieces, and how many of its characters are in names."""

    pieces: tuple[str, ...] = ()
    num_known: int = 0

    @property
    def worth(self) -> tuple[int, int]:
        """The more is known the better, then the fewer pieces."""
        return self.num_known, -len(self.pieces)


def cut_at_marks(part: str, vocabulary: Vocabulary) -> Sequence[str]:
    """Cut so that as much of the part as can be is names, in as few pieces as can be.

    "cat and giraffe"  ->  cat, giraffe;   "salt and pepper"  ->  salt and pepper
    """
    found = (
        mark for kind in (BETWEEN, KANA_BETWEEN, BETWEEN_ABROAD) for mark in kind.finditer(part)
    )
    marks = sorted(mark.span() for mark in found)
    if len(marks) > MAX_MARKS:
        return [said for piece in BETWEEN.split(part) if (said := tidy(piece))]
    best = [(0, Cutting())]  # where a piece may begin, and the best of what is before it
    for end, after in [*marks, (len(part), len(part))]:
        ways = (add(before, tidy(part[start:end]), vocabulary) for start, before in best)
        best.append((after, max(ways, key=lambda way: way.worth)))
    return best[-1][1].pieces or [part]


def add(before: Cutting, piece: str, vocabulary: Vocabulary) -> Cutting:
    """A cutting with one more piece; with none where there is nothing between two marks."""
    if not piece:
        return before
    num_known = len(piece) if vocabulary.find(piece) else 0
    return Cutting((*before.pieces, piece), before.num_known + num_known)
