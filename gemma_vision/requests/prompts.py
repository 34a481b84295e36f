"""Prompts: how PaliGemma, PaliGemma 2 and Gemma 3 are asked, as data.

A row says which tasks a family was taught and in which words, and how a prompt is laid out for the
tokenizer. What differs in the mathematics is a row of `model/architecture.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gemma_vision.requests.languages import TONGUES
from gemma_vision.requests.options import STYLES
from gemma_vision.requests.request import REGION, Request
from gemma_vision.requests.tasks import Task
from gemma_vision.requests.validation import TaskError

# What a task or a style of caption is called in a prompt; {names}, {language}, {tongue}, {region}
# and {text} are filled in.
Wording = Mapping[str, str]


@dataclass(frozen=True)
class Family:
    """One line of models.

    `wording` has an entry for each task and each style of caption that the family was taught.
    """

    name: str  # as in ModelConfig.family
    title: str  # as a person says it
    wording: Wording
    image_token: str  # stands for one soft token
    image_mark: str  # stands for one picture in the text of a prompt, "" where pictures come first
    around_image: tuple[str, str]  # what the tokenizer reads before and after a picture
    end: str  # what closes the prompt
    stop_tokens: tuple[str, ...]
    has_turns: bool = False
    has_pan_and_scan: bool = False
    has_bare_phrases: bool = False  # `segment` takes one sentence, and nothing around it
    has_variants: bool = False  # published as pt, mix and ft-TASK; see variants.py
    variant: str = ""  # "pt", "mix" or "ft-TASK" where somebody says
    names_per_prompt: int | None = None  # that it was taught to look for at once, where known
    languages: tuple[str, ...] = tuple(TONGUES)  # of its captions and short answers, by code

    @property
    def tasks(self) -> tuple[Task, ...]:
        """What a checkpoint of this family can be asked for."""
        return tuple(task for task in Task if task in self.wording)

    @property
    def styles(self) -> tuple[str, ...]:
        """The kinds of captions it was taught, the shortest first."""
        return tuple(style for style in STYLES if style in self.wording)

    @property
    def has_regions(self) -> bool:
        """Whether it captions a part of a picture."""
        return REGION in self.wording

    def check_request(self, request: Request) -> None:
        """Refuse, before any work, what the family was never taught."""
        if request.task not in self.wording:
            known = ", ".join(self.tasks)
            message = f"{self.title} cannot {request.task}; it can {known}. Take another model."
            raise TaskError(message, "E_TASK_UNSUPPORTED")
        if request.verb not in self.wording:
            message = f'{self.title} was not taught captions of the kind "{request.verb}".'
            raise TaskError(f"{message} Ask for a plain caption.", "E_STYLE")
        if self.has_bare_phrases and request.task is Task.segment and ";" in request.text:
            message = f"{self.title} takes one phrase at a time, such as: the dog on the left."
            raise TaskError(message, "E_ONE_PHRASE")
        if request.pan_and_scan and not self.has_pan_and_scan:
            message = f"{self.title} looks at whole pictures only; leave pan-and-scan off."
            raise TaskError(message, "E_PAN_AND_SCAN")

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


def family_of(name: str) -> Family:
    """The row of that name."""
    return FAMILIES[name]


def words(family: Family, request: Request) -> str:
    """What is asked for, in the words the family was taught."""
    filled = family.wording[request.verb].format(
        names=" ; ".join(dict.fromkeys(name.lower() for name in request.names)),
        language=request.language,
        region=locations(request.region) if request.region else "",
        tongue=TONGUES[request.language],
        text=request.text.strip(),
    )
    return filled.strip()


def locations(region: Sequence[float]) -> str:
    """A part of the picture as PaliGemma writes it: y before x, in bins of 1023 to the far edge.

    (0, 0, 1, 0.5)  ->  "<loc0000><loc0000><loc0512><loc1023>"
    """
    x0, y0, x1, y1 = region
    return "".join(f"<loc{round(edge * 1023):04d}>" for edge in (y0, x0, y1, x1))


def write_turns(family: Family, request: Request) -> str:
    """A conversation in the chat form of Gemma: every message between its marks."""
    turns = [(turn.role, len(turn.images), turn.text.strip()) for turn in request.turns]
    earlier = sum(count for _, count, _ in turns)
    turns.append(("user", len(request.images) - earlier, words(family, request)))
    told = "".join(
        f"<start_of_turn>{role}\n{family.image_mark * count}{text}<end_of_turn>\n"
        for role, count, text in turns
    )
    return told + "<start_of_turn>model\n"


PALIGEMMA_WORDING: Wording = {
    Task.detect: "detect {names}",
    Task.segment: "segment {names}",
    "cap": "cap {language}",
    "caption": "caption {language}",
    "describe": "describe {language}",
    "region": "caption {region}",
    Task.ask: "answer {language} {text}",
    Task.ocr: "ocr",
    Task.free: "{text}",
}
GEMMA3_WORDING: Wording = {
    "cap": "Describe this image in a few words, in {tongue}.",
    "caption": "Describe this image in one sentence, in {tongue}.",
    "describe": "Describe this image in detail, in {tongue}.",
    Task.ask: "{text}",
    Task.ocr: "Write out all text in this image, line by line, and nothing else.",
    Task.free: "{text}",
    Task.chat: "{text}",
}
PALIGEMMA = Family(
    name="paligemma",
    title="PaliGemma",
    wording=PALIGEMMA_WORDING,
    image_token="<image>",
    image_mark="",
    around_image=("", ""),
    end="\n",
    stop_tokens=("<eos>",),
    has_variants=True,
)
PALIGEMMA2 = replace(PALIGEMMA, name="paligemma2", title="PaliGemma 2")
GEMMA3 = Family(
    name="gemma3",
    title="Gemma 3",
    wording=GEMMA3_WORDING,
    image_token="<image_soft_token>",
    image_mark="<start_of_image>",
    around_image=("\n\n<start_of_image>", "<end_of_image>\n\n"),
    end="",
    stop_tokens=("<eos>", "<end_of_turn>"),
    has_turns=True,
    has_pan_and_scan=True,
)
FAMILIES: Mapping[str, Family] = {row.name: row for row in (PALIGEMMA, PALIGEMMA2, GEMMA3)}
