"""Family: how one line of models is asked: its tasks and their wording, turns, options.

The rows are in `prompts.py`. What differs in the mathematics is a row of `model/architecture.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gemma_vision.requests.interpretation.questions import QuestionSet
from gemma_vision.requests.languages import TONGUES
from gemma_vision.requests.options import STYLES
from gemma_vision.requests.request import REGION, Request
from gemma_vision.requests.tasks import Task
from gemma_vision.requests.validation import TaskError

# What a task or a style of caption is called in a prompt; {names}, {quoted}, {language}, {tongue},
# {region} and {text} are filled in.
Wording = Mapping[str, str]


@dataclass(frozen=True)
class Family:
    """One line of models.

    `wording` has an entry for each task and each style of caption that the family was taught.
    `budgets` are the numbers of soft tokens that a picture may become, none where that is fixed;
    `usual_budget` holds for words and `box_budget` for things. `thought` is what the model's
    thoughts begin and end with, none where it has none; `closes_thought`: where it is to have none,
    its turn begins with an empty one. `instead` says for a task what else can do it. `choices` are
    the words that an answer to a question is one of, and `policies` what may be asked by name.
    """

    name: str  # as in ModelConfig.family
    title: str  # as a person says it
    wording: Wording
    image_token: str  # stands for one soft token
    image_mark: str  # stands for one picture in the text of a prompt, "" where pictures come first
    around_image: tuple[str, str]  # what the tokenizer reads before and after a picture
    end: str  # what closes the prompt
    stop_tokens: tuple[str, ...]
    turn: tuple[str, str] = ("", "")  # before who speaks, and after the words; chats have them
    has_system_turn: bool = False  # else what holds for all stands before the user's first words
    budgets: tuple[int, ...] = ()
    usual_budget: int | None = None
    box_budget: int | None = None
    thought: tuple[str, str] = ("", "")
    think_mark: str = ""  # in the system turn: think before you answer
    closes_thought: bool = False
    has_locations: bool = True  # writes places as tokens of their own, <loc0000> to <loc1023>
    instead: Mapping[str, str] = field(default_factory=dict)
    choices: tuple[str, ...] = ()
    policies: Mapping[str, str] = field(default_factory=dict)
    has_pan_and_scan: bool = False
    has_bare_phrases: bool = False  # `segment` takes one sentence, and nothing around it
    has_variants: bool = False  # published as pt, mix and ft-TASK; see variants.py
    variant: str = ""  # "pt", "mix" or "ft-TASK" where somebody says
    names_per_prompt: int | None = None  # that it was taught to look for at once, where known
    languages: tuple[str, ...] = tuple(TONGUES)  # of its captions and short answers, by code
    questions: QuestionSet | None = None  # where it was taught no others

    @property
    def tasks(self) -> tuple[Task, ...]:
        """What a checkpoint of this family can be asked for."""
        return tuple(task for task in Task if task in self.wording)

    @property
    def styles(self) -> tuple[str, ...]:
        """The kinds of captions it was taught, the shortest first."""
        return tuple(style for style in STYLES if style in self.wording)

    @property
    def has_turns(self) -> bool:
        """Whether it is asked in a conversation."""
        return bool(self.turn[0])

    @property
    def can_think(self) -> bool:
        """Whether it can think before it answers."""
        return bool(self.think_mark)

    def budget_of(self, request: Request) -> int | None:
        """How many soft tokens a picture of the request may become; None where that is fixed."""
        usual = self.box_budget if request.spec.names_things else self.usual_budget
        return request.budget or usual

    def answers_in_json(self, task: str) -> bool:
        """Whether it is asked to write a task's answer as a list in JSON."""
        return any(f'"{key}"' in self.wording.get(task, "") for key in ("box_2d", "point"))

    @property
    def has_regions(self) -> bool:
        """Whether it captions a part of a picture."""
        return REGION in self.wording

    def uses_language(self, verb: str) -> bool:
        """Whether a task or a style of caption is asked for in a language."""
        wording = self.wording.get(verb, "")
        return "{language}" in wording or "{tongue}" in wording

    def check_request(self, request: Request) -> None:
        """Refuse, before any work, what the family was never taught."""
        if request.task not in self.wording:
            raise TaskError(self.explain_task(request.task, self.title), "E_TASK_UNSUPPORTED")
        if request.verb not in self.wording:
            message = f'{self.title} was not taught captions of the kind "{request.verb}".'
            raise TaskError(f"{message} Ask for a plain caption.", "E_STYLE")
        if self.has_bare_phrases and request.task is Task.segment and ";" in request.text:
            message = f"{self.title} takes one phrase at a time, such as: the dog on the left."
            raise TaskError(message, "E_ONE_PHRASE")
        if request.pan_and_scan and not self.has_pan_and_scan:
            message = f"{self.title} looks at whole pictures only; leave pan-and-scan off."
            raise TaskError(message, "E_PAN_AND_SCAN")
        if request.budget is not None and request.budget not in self.budgets:
            message = f"{self.title} makes every picture the same number of tokens"
            raise TaskError(f"{message}; leave the budget open.", "E_BUDGET")
        if request.thinking and not self.can_think:
            message = f"{self.title} does not think before it answers; leave thinking at 0."
            raise TaskError(message, "E_THINKING")

    def explain_task(self, task: str, name: str, tasks: Sequence[str] | None = None) -> str:
        """Why a task is not for this model, by the name that it is known by, and what is."""
        known = ", ".join(self.tasks if tasks is None else tasks)
        instead = self.instead.get(task, "Take another model")
        return f"{name} cannot {task}; it can {known}. {instead}."

    def write_prompt(self, request: Request) -> str:
        """The words that ask for it.   detect, "cat ;dog"  ->  "detect cat ; dog" """
        self.check_request(request)
        return write_turns(self, request) if self.has_turns else words(self, request)

    def lay_out(self, text: str, views: Sequence[int]) -> str:
        """The whole text that the tokenizer reads, with one image token for each view.

        `views` says for each picture how many views of it there are: 1, or with pan-and-scan 1
        and the number of crops.
        """
        if not self.image_mark:
            return self.image_token * sum(views) + "<bos>" + text.strip("\n") + self.end
        parts = text.split(self.image_mark)
        if len(parts) - 1 != len(views):
            message = f"The prompt has room for {len(parts) - 1} pictures and got {len(views)}."
            raise TaskError(message, "E_IMAGE_COUNT")
        shown = [self._show(count) for count in views]
        return "<bos>" + "".join(a + b for a, b in zip(parts, [*shown, ""], strict=True)) + self.end

    def _show(self, count: int) -> str:
        before, after = self.around_image
        full = before + self.image_token + after
        if count == 1:
            return full
        crops = " ".join([full] * (count - 1))
        return (
            f"Here is the original image {full} and here are some crops "
            f"to help you see better {crops}"
        )


def words(family: Family, request: Request) -> str:
    """What is asked for, in the words the family was taught."""
    names = list(dict.fromkeys(name.lower() for name in request.names))
    filled = family.wording[request.verb].format(
        names=" ; ".join(names),
        quoted=", ".join(json.dumps(name, ensure_ascii=False) for name in names),
        language=request.language,
        region=locations(request.region) if request.region else "",
        tongue=TONGUES[request.language],
        text=own_words(family, request),
    )
    return filled.strip()


def own_words(family: Family, request: Request) -> str:
    """A question or a prompt as it was written, or as the family has it."""
    text = request.text.strip()
    if request.task is Task.ask and family.questions:
        return family.questions.read(text) or text
    return family.policies.get(text.casefold(), text)


def locations(region: Sequence[float]) -> str:
    """A part of the picture as PaliGemma writes it: y before x, in bins of 1023 to the far edge.

    (0, 0, 1, 0.5)  ->  "<loc0000><loc0000><loc0512><loc1023>"
    """
    x0, y0, x1, y1 = region
    return "".join(f"<loc{round(edge * 1023):04d}>" for edge in (y0, x0, y1, x1))


def write_turns(family: Family, request: Request) -> str:
    """A conversation in the chat form of Gemma: every message between its marks."""
    system = "".join(turn.text.strip() for turn in request.turns if turn.role == "system")
    turns = [
        (turn.role, len(turn.images), turn.text.strip())
        for turn in request.turns
        if turn.role != "system"
    ]
    earlier = sum(count for _, count, _ in turns)
    turns.append(("user", len(request.images) - earlier, words(family, request)))
    before = ""
    if family.has_system_turn:
        think = f"{family.think_mark}\n" if request.thinking else ""
        turns = [("system", 0, think + system), *turns] if think or system else turns
    elif system:
        before = f"{system}\n\n"
    start, end = family.turn
    told = "".join(
        f"{start}{role}\n{before * (not index)}{family.image_mark * count}{text}{end}\n"
        for index, (role, count, text) in enumerate(turns)
    )
    is_closed = family.closes_thought and not request.thinking
    return f"{told}{start}model\n" + "".join(family.thought if is_closed else ())
