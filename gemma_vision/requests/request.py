"""Requests: what a person can ask for, checked at the door. Knows nothing of models or prompts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from gemma_vision.images.opening import Picture
from gemma_vision.requests.languages import TONGUES
from gemma_vision.requests.validation import (
    TaskError as TaskError,  # these three are taken from here
)
from gemma_vision.requests.validation import as_region, check_string, check_truth, plain, shown
from gemma_vision.requests.validation import check_range as check_range
from gemma_vision.requests.validation import read_region as read_region

MAX_TOKENS = 4096
MAX_TEXT = 4000  # characters of one message; checkpoints were trained on 512 tokens at most
MAX_IMAGES = 16  # pictures of one request
MAX_TEMPERATURE = 2.0
MAX_SEED = 2**63 - 1

LANGUAGES = tuple(TONGUES)
REGION = "region"
STYLES = ("cap", "caption", "describe")  # a few words, a sentence, several sentences

# Words a tokenizer reads as commands. From a user they would move pictures or end the prompt.
CONTROL_TOKEN = re.compile(
    r"<(?:loc\d+|seg\d+|image|image_soft_token|start_of_image|end_of_image|start_of_turn|"
    r"end_of_turn|bos|eos|pad|unk|mask|unused\d+)>|\[multimodal\]",
    re.IGNORECASE,
)
NAME_SEPARATOR = re.compile(r"[;,\n\uff1b\uff0c\u3001]")  # also the wide ones of East Asia


class Task(StrEnum):
    """What to do with a picture; the same word is the method, the verb and the endpoint."""

    detect = "detect"
    segment = "segment"
    caption = "caption"
    ask = "ask"
    ocr = "ocr"
    free = "free"
    chat = "chat"


NEEDS_NAMES = frozenset({Task.detect, Task.segment})
NEEDS_WORDS = {Task.ask: "question", Task.free: "prompt", Task.chat: "message"}
TRUTHS = ("pan_and_scan", "drop_repeats", "drop_full_frame", "drop_unasked")
NUMBERS = ("max_tokens", "temperature", "seed", "max_overlap", "min_score")


@dataclass(frozen=True)
class Turn:
    """One message of a conversation: who spoke ("user" or "model"), the words, the pictures."""

    role: str
    text: str = field(repr=False)
    images: tuple[Picture, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "images", as_pictures(self.images))
        if self.role not in ("user", "model"):
            message = f'A turn is spoken by "user" or "model", not by {shown(self.role)}.'
            raise TaskError(message, "E_TURNS")
        check_text(self.text)


@dataclass(frozen=True)
class Request:
    """One wish about one picture (or several).

    `text` is the names for detect and segment ("cat ; dog"), the question for ask, the prompt for
    free and the newest message for chat; caption and ocr do not read it. `turns` is what was said
    before in a chat, first message first. `style` is how long a caption is: "cap" (a few words),
    "caption" (a sentence) or "describe" (several). `region` asks for the caption of a part: x0, y0,
    x1, y1 as shares of width and height, 0 to 1. A request that cannot work raises `TaskError`.

    Five options tidy the answer, each leaving a warning for what it removes: exact copies, the less
    sure of two boxes of one name that overlap more than an IoU, boxes of the whole picture, things
    below a score, and (of detect and segment) things under a name that `text` does not have.
    """

    image: Picture | tuple[Picture, ...] = field(repr=False)  # neither pictures nor words in logs
    task: Task
    text: str = field(default="", repr=False)
    language: str = "en"
    max_tokens: int = 256
    temperature: float = 0.0  # 0 takes the likeliest token every time
    seed: int = 0
    pan_and_scan: bool = False
    turns: tuple[Turn, ...] = field(default=(), repr=False)
    drop_repeats: bool = False
    max_overlap: float | None = None
    drop_full_frame: bool = False
    min_score: float | None = None
    style: str = "caption"
    region: tuple[float, ...] | None = None
    drop_unasked: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "task", as_task(self.task))
        object.__setattr__(self, "turns", as_turns(self.turns))
        if isinstance(self.image, list):
            object.__setattr__(self, "image", tuple(self.image))
        if self.region is not None:
            object.__setattr__(self, "region", as_region(self.region))
        check_text(self.text)
        check_words(self)
        check_pictures(self)
        check_turns(self)
        check_options(self)
        for name in (*TRUTHS, *NUMBERS):
            object.__setattr__(self, name, plain(getattr(self, name)))

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
        """The things asked for, each once.   "cat ;dog, cat"  ->  ("cat", "dog")"""
        names = (" ".join(name.split()) for name in NAME_SEPARATOR.split(self.text))
        return tuple(dict.fromkeys(name for name in names if name))


def as_task(task: str) -> Task:
    """The task of that name; `TaskError` names the tasks there are."""
    try:
        return Task(task)
    except ValueError:
        known = ", ".join(Task)
        raise TaskError(f"{shown(task)} is no task; take one of {known}.", "E_TASK") from None


def as_pictures(image: Picture | tuple[Picture, ...] | None) -> tuple[Picture, ...]:
    """One picture, several or none, as a tuple."""
    if image is None:
        return ()
    return tuple(image) if isinstance(image, (tuple, list)) else (image,)


def as_turns(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """What was said before, as a tuple; `TaskError` where that is anything but turns."""
    found = tuple(turns) if isinstance(turns, Iterable) else (turns,)
    for turn in found:
        if not isinstance(turn, Turn):
            kind = type(turn).__name__
            message = f"turns holds a {kind}; give Turn(role, text) objects, first message first."
            raise TaskError(message, "E_TURNS")
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
    task = request.task
    if task in NEEDS_NAMES and not request.names:
        message = f'Nothing to {task}: name one thing or several, for example "cat ; dog".'
        raise TaskError(message, "E_NO_NAMES")
    if task in NEEDS_WORDS and not request.text.strip():
        message = f"There is no {NEEDS_WORDS[task]}: the text is empty; write some words."
        raise TaskError(message, "E_NO_TEXT")
    if request.language not in LANGUAGES:
        known = " ".join(LANGUAGES)
        message = f"{shown(request.language)} is no language of the model; take one of {known}."
        raise TaskError(message, "E_LANGUAGE")
    if request.style not in STYLES:
        message = f"{shown(request.style)} is no style of caption; take one of {', '.join(STYLES)}."
        raise TaskError(message, "E_STYLE")


def check_pictures(request: Request) -> None:
    """One picture for detect and segment, one or several for the others."""
    count = len(request.images)
    if not count or any(picture is None for picture in request.images):
        raise TaskError(f"{request.task} needs a picture and got none; give one.", "E_NO_IMAGE")
    if count > 1 and request.task in NEEDS_NAMES:
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
    if roles != ["user", "model"] * (len(roles) // 2):
        message = "Earlier turns alternate, the user first and the model last."
        raise TaskError(message, "E_TURNS")


def check_options(request: Request) -> None:
    """Truths that are truths, numbers inside their ranges."""
    for name in TRUTHS:
        check_truth(name, getattr(request, name))
    if request.drop_unasked and request.task not in NEEDS_NAMES:
        message = f"{request.task} asks for no names, so drop_unasked has nothing to go by."
        raise TaskError(message, "E_DROP_UNASKED")
    check_range("max_tokens", request.max_tokens, 1, MAX_TOKENS, whole=True)
    check_range("temperature", request.temperature, 0.0, MAX_TEMPERATURE)
    check_range("seed", request.seed, 0, MAX_SEED, whole=True)
    for name in ("max_overlap", "min_score"):
        if getattr(request, name) is not None:
            check_range(name, getattr(request, name), 0.0, 1.0)
