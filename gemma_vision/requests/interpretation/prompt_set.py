"""Prompt set: whether a prompt in a person's own words is one that a checkpoint was taught.

Where a checkpoint was taught few words, it writes something to any other prompt too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Formatter

from gemma_vision.requests.interpretation.questions import QuestionSet

ANY = "{text}"  # the wording that takes any prompt
SEPARATOR = " ; "  # between names
PARTS = ("names", "language", "text")  # that are read; no other wording is


@dataclass(frozen=True)
class PromptSet:
    """The prompts of a checkpoint: its wording by task, about its names or with its questions."""

    wording: Mapping[str, str]
    languages: Sequence[str]
    questions: QuestionSet

    def read(self, prompt: str) -> tuple[str, ...] | None:
        """The names that a taught prompt asks for, () where it asks for none; None for another.

        "detect cat ; dog"  ->  ("cat", "dog");   "caption en"  ->  ();   "hello"  ->  None
        """
        for wording in self._wordings:
            found = pattern_of(wording).fullmatch(prompt.strip())
            parts = found.groupdict() if found else {}
            if found and all(self._is_taught(name, part) for name, part in parts.items()):
                return tuple(parts.get("names", "").split(SEPARATOR)) if "names" in parts else ()
        return None

    @property
    def examples(self) -> list[str]:
        """A prompt of each kind."""
        filled = {
            "names": self.questions.names[0],
            "language": self.languages[0],
            "text": self.questions.examples[0],
        }
        return [wording.format(**filled) for wording in self._wordings]

    @property
    def _wordings(self) -> list[str]:
        return [one for one in self.wording.values() if one != ANY and is_read(one)]

    def _is_taught(self, name: str, part: str) -> bool:
        """Whether what stands in a place of the wording is the checkpoint's own."""
        if name == "names":
            return set(part.split(SEPARATOR)) <= set(self.questions.names)
        return part in self.languages if name == "language" else self.questions.read(part) == part


def is_read(wording: str) -> bool:
    """Whether all places of a wording are known here."""
    return all(place in PARTS for _, place, _, _ in Formatter().parse(wording) if place is not None)


def pattern_of(wording: str) -> re.Pattern[str]:
    """What fits a wording, its places as groups.   "detect {names}"  ->  detect\\ (?P<names>.+?)"""
    pieces = (
        re.escape(literal) + (f"(?P<{place}>.+?)" if place else "")
        for literal, place, _, _ in Formatter().parse(wording)
    )
    return re.compile("".join(pieces))
