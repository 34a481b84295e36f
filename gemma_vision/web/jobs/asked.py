"""Asked: what was asked of whom, as far as the lines of guidance go by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gemma_vision.requests.interpretation.names import ParsedNames
from gemma_vision.requests.interpretation.prompt_set import PromptSet
from gemma_vision.requests.interpretation.questions import QuestionSet
from gemma_vision.requests.tasks import PARSE, TASKS, Task
from postprocess.tokens import folded

# Said by the guidance instead
TOLD = ("read_as", "unknown_name", "unknown_question", "token_limit", "repeat")


@dataclass(frozen=True)
class Asked:
    """What was asked, of whom. names: those that the checkpoint lists; limit: tokens at most.

    question: the words of a task that takes a question or a prompt; questions and prompts: those
    that the checkpoint was taught, where it was taught no others. tasks: what else it can be asked.
    An answer that was pasted has the task "parse" and no model.
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
    questions: QuestionSet | None = None
    prompts: PromptSet | None = None

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
        """Whether a question or a prompt is none of those that the checkpoint was taught."""
        if self.task == Task.free and self.prompts:
            return self.prompts.read(self.question) is None
        if self.task == Task.ask and self.questions:
            return self.questions.read(self.question) is None
        return False

    @property
    def is_caption(self) -> bool:
        """Whether the picture was to be described, by its task or by a prompt in its words."""
        if self.task == Task.free and self.prompts:
            return self.prompts.is_of(Task.caption, self.question)
        return self.task == Task.caption

    @property
    def unknown_thing(self) -> str | None:
        """What a question is about, where the checkpoint does not know it."""
        if self.questions is None or self.task != Task.ask:
            return None
        return self.questions.find_unknown(self.question)

    @property
    def corrections(self) -> tuple[tuple[str, str], ...]:
        """Words, or a question, that were read as others: (written, read)."""
        if self.reading is not None:
            return self.reading.corrections
        if self.questions is None or self.task != Task.ask:
            return ()
        other = self.questions.other_words(self.question)
        return ((self.question, other),) if other else ()

    def is_asked(self, label: str) -> bool:
        """Whether a label shares a word with a name that was asked for; always where none were.

        Models shorten what they are asked: "the red car" comes back as "car".
        """
        if self.reading is None or not label.strip():
            return True
        words = {word for name in self.reading.names for word in folded(name).split()}
        return folded(label) in words or not words.isdisjoint(folded(label).split())
