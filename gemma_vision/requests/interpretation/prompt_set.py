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
        readings = [*self._readings(prompt).values()]
        if not readings:
            return None
        names = readings[0].get("names")
        return () if names is None else tuple(names.split(SEPARATOR))

    def is_of(self, task: str, prompt: str) -> bool:
        """Whether a prompt was taught for a task.   "caption", "caption en"  ->  True"""
        return task in self._readings(prompt)

    @property
    def examples(self) -> list[str]:
        """A prompt of each kind."""
        filled = {
            "names": self.questions.names[0],
            "language": self.languages[0],
            "text": self.questions.examples[0],
        }
        return [wording.format(**filled) for wording in self._wordings.values()]

    @property
    def _wordings(self) -> dict[str, str]:
        items = self.wording.items()
        return {task: one for task, one in items if one != ANY and is_read(one)}

    def _readings(self, prompt: str) -> dict[str, dict[str, str]]:
        """What stands in the places of the wordings that a prompt fits, by task."""
        fits = {
            task: pattern_of(wording).fullmatch(prompt.strip())
            for task, wording in self._wordings.items()
        }
        readings = {task: fit.groupdict() for task, fit in fits.items() if fit}
        return {task: parts for task, parts in readings.items() if self._are_taught(parts)}

    def _are_taught(self, parts: Mapping[str, str]) -> bool:
        return all(self._is_taught(name, part) for name, part in parts.items())

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
