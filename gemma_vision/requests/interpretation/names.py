"""Names: what a person wrote, read as the things that a checkpoint is asked for.

A checkpoint that lists its names is asked for those alone, whatever form they were written in. One
with an open vocabulary is asked the phrases as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from gemma_vision.requests.interpretation.name_cutting import pieces_of
from gemma_vision.requests.interpretation.phrases import BETWEEN, core, tidy
from gemma_vision.requests.interpretation.vocabulary import Match, vocabulary_of
from gemma_vision.requests.validation import TaskError, excerpt, is_blank
from postprocess.tokens import Notice

Names: TypeAlias = "str | list[str] | tuple[str, ...]"
NAME_SEPARATOR = re.compile(r"[;,\n\uff1b\uff0c\u3001]")  # also the wide ones of East Asia
MAX_TOLD = 80  # names of a checkpoint that a sentence tells
MAX_QUOTED = 5  # unknown words that it quotes


@dataclass(frozen=True)
class ParsedNames:
    """How names were read.

    names: what the model is asked, each once. asked: the parts of the text, as they were written.
    corrections: (asked, name) where another word was taken. alternatives: (asked, names) that may
    have been meant instead, none of them asked for. unknown: the parts that no listed name fits;
    the model is not asked for them. known: the names that the checkpoint lists, none where its
    vocabulary is open.
    """

    names: tuple[str, ...]
    asked: tuple[str, ...] = ()
    corrections: tuple[tuple[str, str], ...] = ()
    alternatives: tuple[tuple[str, tuple[str, ...]], ...] = ()
    unknown: tuple[str, ...] = ()
    known: tuple[str, ...] = ()

    @property
    def notices(self) -> list[Notice]:
        """What a person should know: words that were read as others, and unknown ones."""
        read = [f"{asked!r} was read as {name!r}." for asked, name in self.corrections]
        return [
            *(Notice("read_as", 0, said) for said in read),
            *([Notice("unknown_name", 0, self.explain_unknown())] if self.unknown else []),
        ]

    def explain_unknown(self) -> str:
        """What is unknown, what may have been meant, and which names there are."""
        unknown = listed([excerpt(part) for part in self.unknown], MAX_QUOTED)
        meant = dict.fromkeys(name for _, names in self.alternatives for name in names)
        question = f" Did you mean {' or '.join(meant)}?" if meant else ""
        told = listed(self.known, MAX_TOLD)
        return f"This checkpoint does not know {unknown}.{question} It knows {told}."


class UnknownNameError(TaskError):
    """None of the names is one that the checkpoint lists; `reading` says how they were read."""

    CODE = "E_UNKNOWN_NAME"

    def __init__(self, reading: ParsedNames) -> None:
        super().__init__(reading.explain_unknown())
        self.reading = reading

    def __reduce__(self) -> tuple[type[UnknownNameError], tuple[ParsedNames]]:
        """Made again from how the names were read: an error's message is what pickle would give."""
        return type(self), (self.reading,)


def listed(words: Sequence[str], most: int) -> str:
    """Words with commas between them, and how many more there are."""
    more = len(words) - most
    return ", ".join(words[:most]) + (f" and {more} more" if more > 0 else "")


def as_text(names: Names) -> str:
    """Names in a list as the text that lists them; a text as it is.

    ["cat", "dog"]  ->  "cat ; dog"
    """
    if not isinstance(names, (list, tuple)):
        return names
    for name in names:
        if not isinstance(name, str):
            raise TaskError(f"A name is a {type(name).__name__}; give strings.", "E_TEXT")
        if mark := NAME_SEPARATOR.search(name):
            message = f"{excerpt(name)} holds {excerpt(mark[0])}, which ends a name; cut it there."
            raise TaskError(message, "E_TEXT")
    return " ; ".join(names)


def names_of(notes: Mapping[str, Any]) -> tuple[str, ...]:
    """The names that a checkpoint's notes list under "names"; none where they list none."""
    listed_names = notes.get("names")
    if not isinstance(listed_names, (list, tuple)):
        return ()
    return tuple(name for name in listed_names if isinstance(name, str) and name.strip())


def split_names(text: str) -> tuple[str, ...]:
    """The names in a text, each once, as they were written.   "cat ;dog, cat"  ->  cat, dog"""
    names = (" ".join(name.split()) for name in NAME_SEPARATOR.split(text))
    return tuple(dict.fromkeys(name for name in names if not is_blank(name)))


def read_names(text: str, known: Sequence[str] = ()) -> ParsedNames:
    """The names of a text as a checkpoint is asked for them.

    known: the names that it lists. Raises UnknownNameError where none of them is meant.
    """
    return read_listed(text, tuple(known)) if known else read_open(text)


def read_open(text: str) -> ParsedNames:
    """Phrases as they are, in small letters and without a full stop, and how else to cut them."""
    asked = split_names(text)
    names = [tidy(part).lower() or part for part in asked]
    others = [(part, tuple(cut(part))) for part in asked]
    meant = tuple(
        (part, other) for (part, other), name in zip(others, names, strict=True) if other != (name,)
    )
    return ParsedNames(tuple(dict.fromkeys(names)), asked, alternatives=meant)


def cut(part: str) -> Iterator[str]:
    """A phrase cut at "and" and its like, without the words around names.

    "a man and a dog"  ->  man, dog
    """
    for piece in BETWEEN.split(part):
        if said := tidy(piece):
            yield core(said).lower() or said.lower()


def read_listed(text: str, known: tuple[str, ...]) -> ParsedNames:
    """The names that are listed, in the order in which they were asked for."""
    vocabulary = vocabulary_of(known)
    pieces = [piece for part in split_names(text) for piece in pieces_of(part, vocabulary)]
    found = [piece for piece in pieces if isinstance(piece, Match)]
    unknown = tuple(dict.fromkeys(piece for piece in pieces if isinstance(piece, str)))
    other = ((match.written, match.name) for match in found if match.is_other_word)
    meant = ((part, vocabulary.suggest(part)) for part in unknown[:MAX_QUOTED])
    reading = ParsedNames(
        names=tuple(dict.fromkeys(match.name for match in found)),
        asked=tuple(piece if isinstance(piece, str) else piece.written for piece in pieces),
        corrections=tuple(dict.fromkeys(other)),
        alternatives=tuple((part, names) for part, names in meant if names),
        unknown=unknown,
        known=known,
    )
    if unknown and not reading.names:
        raise UnknownNameError(reading)
    return reading
