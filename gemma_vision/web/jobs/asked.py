"""Asked: what was asked of whom, as far as the lines of guidance go by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gemma_vision.requests.interpretation.names import ParsedNames
from gemma_vision.requests.interpretation.vocabulary import vocabulary_of
from gemma_vision.requests.tasks import PARSE, TASKS, Task
from postprocess.tokens import folded

TOLD = ("read_as", "unknown_name", "token_limit", "repeat")  # said by the guidance instead
BIGGEST = "biggest"  # of the one question that the demo model was taught without a name in it


@dataclass(frozen=True)
class Asked:
    """What was asked, of whom. names: those that the checkpoint lists; limit: tokens at most.

    question: the words of a task that takes a question. tasks: what else it can be asked. An answer
    that was pasted has the task "parse" and no model.
    """

    task: str
    model: str
    limit: int = 0
    temperature: float = 0.0
    reading: ParsedNames | None = None
    names: Sequence[str] = ()
    is_demo: bool = False
    tasks: Sequence[str] = ()
    question: str = ""

    @property
    def is_parsed(self) -> bool:
        """Whether nobody was asked: an answer was there already."""
        return self.task == PARSE

    @property
    def names_things(self) -> bool:
        """Whether things were asked for, or pasted, by their names."""
        return self.is_parsed or TASKS[self.task].names_things

    @property
    def covered(self) -> Sequence[str]:
        """Which warnings of an answer are told by these lines."""
        return () if self.is_parsed else TOLD

    @property
    def is_untaught(self) -> bool:
        """Whether the demo model is asked what no question was about that it learned from."""
        if not self.is_demo or self.task != Task.ask or BIGGEST in self.question.lower():
            return False
        return not vocabulary_of(tuple(self.names)).suggest(self.question)

    def is_asked(self, label: str) -> bool:
        """Whether a label shares a word with a name that was asked for; always where none were.

        Models shorten what they are asked: "the red car" comes back as "car".
        """
        if self.reading is None or not label.strip():
            return True
        words = {word for name in self.reading.names for word in folded(name).split()}
        return folded(label) in words or not words.isdisjoint(folded(label).split())
