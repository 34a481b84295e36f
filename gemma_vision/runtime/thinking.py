"""Thinking: how long a model may think, counted apart from its answer.

A thought begins and ends with marks, each one token. Knows nothing of models or texts.
"""

from __future__ import annotations

from dataclasses import dataclass

from tokenizers import Tokenizer


@dataclass(frozen=True)
class ThoughtMarks:
    """The ids of what a thought begins and ends with, and how these are spelled."""

    start: int
    end: int
    spelling: tuple[str, str]

    @classmethod
    def of(cls, tokenizer: Tokenizer, thought: tuple[str, str]) -> ThoughtMarks | None:
        """The marks of a family's thoughts; None where it has none, or the tokenizer has not.

        thought: what thoughts begin and end with; of the first only the mark itself counts.
        """
        opening, closing = (text.partition(">")[0] + ">" for text in thought)
        start, end = tokenizer.token_to_id(opening), tokenizer.token_to_id(closing)
        if not thought[0] or start is None or end is None:
            return None
        return cls(start, end, (opening, closing))

    @property
    def texts(self) -> dict[int, str]:
        """How each mark is spelled, by its id."""
        return {self.start: self.spelling[0], self.end: self.spelling[1]}


class ThoughtCounter:
    """Follows one answer: whether it is in a thought, and whether that has been long enough."""

    def __init__(self, marks: ThoughtMarks, limit: int) -> None:
        self._marks = marks
        self._limit = limit
        self._count = 0
        self.is_thinking = False

    @property
    def allowed(self) -> tuple[int, ...] | None:
        """What alone may come next: the end of a thought that has been long enough; else None."""
        return (self._marks.end,) if self.is_thinking and self._count >= self._limit else None

    def advance(self, token: int) -> bool:
        """Go one token on; whether it belongs to a thought."""
        was_thinking = self.is_thinking
        self._count += was_thinking and token != self._marks.end
        if token in (self._marks.start, self._marks.end):
            self.is_thinking = token == self._marks.start
        return was_thinking or self.is_thinking
