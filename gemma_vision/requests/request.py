"""Requests: what a person can ask for, checked at the door. Knows nothing of models or prompts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from gemma_vision.images.opening import Picture
from gemma_vision.requests.interpretation.names import ParsedNames, split_names
from gemma_vision.requests.option_checks import check_options
from gemma_vision.requests.options import OPTIONS, Options
from gemma_vision.requests.tasks import TASKS, Task, TaskSpec, as_task
from gemma_vision.requests.validation import TaskError, check_string, excerpt, is_blank
from postprocess.argument_kinds import named
from postprocess.equality import EqualByFields

MAX_TEXT = 4000  # characters of one message; checkpoints were trained on 512 tokens at most
MAX_IMAGES = 16  # pictures of one request

REGION = "region"

# Words a tokenizer reads as commands. From a user they would move pictures or end the prompt.
CONTROL_TOKEN = re.compile(
    r"<(?:loc\d+|seg\d+|image|image_soft_token|start_of_image|end_of_image|start_of_turn|"
    r"end_of_turn|bos|eos|pad|unk|mask|unused\d+)>|\[multimodal\]|"
    r"<\|(?:turn|channel|think|image|audio|video|tool\w*|\")\|?>|"
    r"<(?:turn|channel|image|audio|video|tool\w*)\|>",
    re.IGNORECASE,
)
THOUGHT = re.compile(r"<\|channel>thought\n.*?(?:<channel\|>|$)", re.DOTALL)  # as Gemma 4 writes it


@dataclass(frozen=True, eq=False)
class Turn(EqualByFields):
    """One message of a conversation: who spoke ("user" or "model"), the words, the pictures.

    What a model thought is left out of its words. The first may be by "system": what holds for all.
    """

    role: str
    text: str = field(repr=False)
    images: tuple[Picture, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "images", as_pictures(self.images))
        if self.role not in ("user", "model", "system"):
            message = f'A turn is spoken by "user" or "model", not by {excerpt(self.role)}.'
            raise TaskError(message, "E_TURNS")
        if self.role == "model" and isinstance(self.text, str):
            object.__setattr__(self, "text", without_thoughts(self.text))
        if self.role == "system" and self.images:
            raise TaskError("A system turn has words alone; show pictures in a user's.", "E_TURNS")
        check_text(self.text)


@dataclass(frozen=True, eq=False)
class Request(EqualByFields, Options):
    """One wish about one picture (or several).

    `text` is the names for detect and segment ("cat ; dog"), the question for ask, the prompt for
    free and the newest message for chat; caption and ocr do not read it. `turns` is what was said
    before in a chat, first message first. `reading` is how the names were read; the pipeline reads
    them where nobody has. The options (see `Options`) are given by name. A request that cannot
    work raises `TaskError`.
    """

    image: Picture | tuple[Picture, ...] | list[Picture] = field(repr=False)  # never in logs
    task: Task | str
    text: str = field(default="", repr=False)
    turns: tuple[Turn, ...] = field(default=(), repr=False)
    reading: ParsedNames | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "task", as_task(self.task))
        object.__setattr__(self, "turns", as_turns(self.turns))
        if isinstance(self.image, list):
            object.__setattr__(self, "image", tuple(self.image))
        check_text(self.text)
        check_text(" ; ".join(self.reading.names if self.reading else ()))
        check_words(self)
        check_pictures(self)
        check_turns(self)
        for name, value in check_options(self).items():
            object.__setattr__(self, name, value)
        if self.drop_unasked and not self.spec.names_things:
            message = f"{self.task} asks for no names, so drop_unasked has nothing to go by."
            raise TaskError(message, "E_DROP_UNASKED")

    def __repr__(self) -> str:
        """The task, how many pictures, the options that are not as always; none of the words."""
        count = len(self.images)
        options = [
            f"{name}={getattr(self, name)!r}"
            for name, option in OPTIONS.items()
            if getattr(self, name) != option.default
        ]
        pictures = f"{count} picture" + "s" * (count != 1)
        return f"Request({', '.join([str(self.task), pictures, *options])})"

    @property
    def spec(self) -> TaskSpec:
        """The row of the task."""
        return TASKS[self.task]

    @property
    def verb(self) -> str:
        """The word for what is asked: the task, or for captions "region" or the style."""
        if self.task is not Task.caption:
            return self.task
        return self.style if self.region is None else REGION

    @property
    def images(self) -> tuple[Picture, ...]:
        """Every picture, in the order in which the prompt meets them: earlier turns first."""
        earlier = (picture for turn in self.turns for picture in turn.images)
        return (*earlier, *as_pictures(self.image))

    @property
    def names(self) -> tuple[str, ...]:
        """The things asked for, each once: as they were read, or else as they were written.

        "cat ;dog, cat"  ->  ("cat", "dog")
        """
        return self.reading.names if self.reading else split_names(self.text)


def without_thoughts(text: str) -> str:
    """A model's words without what it thought; a thought that never ends is all of them."""
    return THOUGHT.sub("", text)


def as_pictures(
    image: Picture | tuple[Picture, ...] | list[Picture] | None,
) -> tuple[Picture, ...]:
    """One picture, several or none, as a tuple."""
    if image is None:
        return ()
    return tuple(image) if isinstance(image, (tuple, list)) else (image,)


def as_turns(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """What was said before, as a tuple; `TaskError` where that is anything but turns."""
    found = tuple(turns) if isinstance(turns, Iterable) else (turns,)
    for turn in found:
        if not isinstance(turn, Turn):
            message = (
                f"turns holds {named(turn)}; give Turn(role, text) objects, first message first."
            )
            raise TaskError(message, "E_TURNS")
    return found


def as_requests(requests: Iterable[Request]) -> list[Request]:
    """Requests, from anything that lists them or one alone; `TaskError` for what is none."""
    found = list(requests) if isinstance(requests, Iterable) else [requests]
    for request in found:
        if not isinstance(request, Request):
            message = f"{named(request)} is no request; give Request(image, task, text) objects."
            raise TaskError(message, "E_REQUEST")
    return found


def check_text(text: str) -> None:
    """Refuse text that is no text, is too long, or would be read as control tokens."""
    check_string(text)
    if len(text) > MAX_TEXT:
        message = f"The text has {len(text)} characters; the limit is {MAX_TEXT}. Shorten it."
        raise TaskError(message, "E_TEXT_TOO_LONG")
    if found := CONTROL_TOKEN.search(text):
        message = f"The text holds {found[0]}, which is a command to the model; leave it out."
        raise TaskError(message, "E_CONTROL_TOKEN")


def check_words(request: Request) -> None:
    """Names, questions and prompts have to be there where the task needs them."""
    spec = request.spec
    if spec.names_things and not request.names:
        message = f'Nothing to {spec.name}: name one thing or several, for example "cat ; dog".'
        raise TaskError(message, "E_NO_NAMES")
    if spec.words and is_blank(request.text):
        message = f"There is no {spec.words.name}: the text is empty; write some words."
        raise TaskError(message, "E_NO_TEXT")


def check_pictures(request: Request) -> None:
    """One picture for detect and segment, one or several for the others."""
    count = len(request.images)
    if not count or any(picture is None for picture in request.images):
        raise TaskError(f"{request.task} needs a picture and got none; give one.", "E_NO_IMAGE")
    if count > 1 and request.spec.names_things:
        message = (
            f"{request.task} takes one picture and got {count}; "
            "ask for each on its own, or use batch."
        )
        raise TaskError(message, "E_TOO_MANY_IMAGES")
    if count > MAX_IMAGES:
        message = f"There are {count} pictures; one request takes up to {MAX_IMAGES}."
        raise TaskError(message, "E_TOO_MANY_IMAGES")


def check_turns(request: Request) -> None:
    """Earlier turns belong to chat and alternate: user, model, ..., model."""
    if request.turns and request.task is not Task.chat:
        raise TaskError(f"{request.task} has no earlier turns; use chat for them.", "E_TURNS")
    roles = [turn.role for turn in request.turns]
    spoken = roles[1:] if roles[:1] == ["system"] else roles
    if spoken != ["user", "model"] * (len(spoken) // 2):
        message = "Earlier turns alternate, the user first and the model last."
        raise TaskError(message, "E_TURNS")
