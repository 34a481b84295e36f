"""Chat sessions: conversations about pictures, one for each visitor. Knows no layout.

What was said is kept here and not taken from the page: a client could write anything into it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
from PIL.Image import Image

from gemma_vision.answers.answer import Answer
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.request import (
    CONTROL_TOKEN,
    MAX_IMAGES,
    MAX_TEXT,
    Request,
    Turn,
    without_thoughts,
)
from gemma_vision.requests.tasks import Task
from gemma_vision.requests.validation import TaskError
from gemma_vision.web.forms.form_values import Options
from gemma_vision.web.forms.options import read_option_fields
from gemma_vision.web.jobs.events import NamedUpdates
from gemma_vision.web.jobs.viewer_value import JSON, file_entry, preview_file
from gemma_vision.web.server.picture_worker import open_pictures
from gemma_vision.web.server.uploads import resolve_upload

MAX_SESSIONS = 32  # conversations kept; the one that was silent longest is forgotten first
MAX_PIXELS = 960_000_000  # of the pictures in all of them; each takes three bytes
MAX_TURNS = 24  # of one conversation; more do not fit into the model's attention


@dataclass(frozen=True)
class ChatValues:
    """What the form holds, as the client sent it. message: {"text", "files"}."""

    message: Mapping[str, Any] | None = None
    options: Options = field(default_factory=dict)


@dataclass
class ChatSession:
    """One conversation. `turns` alternate, the user first.

    `has_crops` holds for all turns: each of them puts every earlier picture before the model again,
    in one request that has one `pan_and_scan`. Another value on the way would change the pictures
    that were answered about already, and what the engine has cached of them would not fit any more.
    """

    turns: list[Turn] = field(default_factory=list)
    has_crops: bool = False

    @property
    def num_pixels(self) -> int:
        """Of all its pictures, which are kept as they came."""
        images = [one for turn in self.turns for one in turn.images if isinstance(one, Image)]
        return sum(image.width * image.height for image in images)

    def messages(self) -> list[JSON]:
        """The conversation as the page shows it: each picture and each text a message."""
        return [message for turn in self.turns for message in turn_messages(turn)]


class ChatSessions:
    """Visitors' conversations; whose was silent longest is forgotten when there are too many."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, ChatSession] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, visitor: str) -> ChatSession:
        """The visitor's conversation, a new one where there is none."""
        with self._lock:
            session = self._sessions.pop(visitor, None) or ChatSession()
            self._sessions[visitor] = session
            while len(self._sessions) > MAX_SESSIONS or self._is_too_much():
                self._sessions.popitem(last=False)
        return session

    def _is_too_much(self) -> bool:
        num_pixels = sum(session.num_pixels for session in self._sessions.values())
        return len(self._sessions) > 1 and num_pixels > MAX_PIXELS

    def forget(self, visitor: str) -> None:
        """Begin anew, or let a visitor go."""
        with self._lock:
            self._sessions.pop(visitor, None)

    def has_crops(self, visitor: str) -> bool | None:
        """Whether the visitor's conversation looks at crops; None before its first turn."""
        with self._lock:
            session = self._sessions.get(visitor)
        return session.has_crops if session and session.turns else None

    def crops_box(self, visitor: str) -> JSON:
        """The box for crops: as the conversation has it; free before the first turn."""
        has_crops = self.has_crops(visitor)
        if has_crops is None:
            return gr.update(interactive=True)
        return gr.update(value=has_crops, interactive=False)


class ChatJob:
    """One turn of a visitor and the model's. Updates "talk", "crops" and "message".

    A turn that cannot be said leaves the conversation as it was.
    """

    def __init__(
        self, pipeline: Pipeline, sessions: ChatSessions, visitor: str, form: ChatValues
    ) -> None:
        self._pipeline = pipeline
        self._sessions = sessions
        self._visitor = visitor
        self._form = form
        self._messages: list[JSON] | None = None  # once both turns are over
        self._before: list[JSON] = []  # with the visitor's turn, once it is read

    def begin(self) -> NamedUpdates:
        """The visitor's turn, before it is answered."""
        self._session = session = self._sessions.open(self._visitor)
        self._turn = turn = read_turn(self._form.message, session.num_pixels)
        if len(session.turns) >= MAX_TURNS:
            words = f"This conversation has {MAX_TURNS} turns, which is the limit; begin a new one."
            raise TaskError(words, "E_TURNS")
        options = self._read_options()
        self._request = Request(
            turn.images, Task.chat, turn.text, turns=tuple(session.turns), **options
        )
        self._before = [*session.messages(), *turn_messages(turn)]
        return {
            "talk": talk_value("running", self._before),
            "crops": gr.update(interactive=False),
            "message": gr.update(value=None, interactive=False),
        }

    def stream(self) -> Iterator[Answer]:
        """The model's turn while it grows."""
        return self._pipeline.stream(self._request)

    def updates(self, answer: Answer | None) -> NamedUpdates:
        """The conversation with the model's turn as far as it is spoken."""
        messages = [*self._before, model_message(answer)]
        return {"talk": talk_value("running", messages, answer)}

    def finished(self, answer: Answer | None, is_whole: bool) -> NamedUpdates:
        """The conversation with both turns, which belong to it from now on."""
        if self._messages is None:  # Stop may end a turn that is over
            self._messages = add_turns(self._session, self._turn, answer)
        state = "done" if is_whole else "stopped"
        if is_whole and not (answer and without_marks(answer.text)):
            state = "blank"
        talk = talk_value(state, self._messages, answer, limit=self._request.max_tokens)
        return {"talk": talk, "crops": self._crops_box()}

    def failed(self, sentence: str, answer: Answer | None) -> NamedUpdates:
        """The sentence under the conversation, as an error; what was said stays to be seen."""
        messages = self._before or self._sessions.open(self._visitor).messages()
        talk = talk_value("error", messages, answer, notes=[sentence])
        return {"talk": talk, "crops": self._crops_box()}

    def _read_options(self) -> JSON:
        """Those of the form; the first turn decides for all whether there are crops."""
        family, session = self._pipeline.family, self._session
        options = read_option_fields(family, Task.chat, self._form.options)
        if not session.turns:
            session.has_crops = bool(options.get("pan_and_scan"))
        has_crops = session.has_crops and family.has_pan_and_scan
        return options | {"pan_and_scan": has_crops}

    def _crops_box(self) -> JSON:
        return self._sessions.crops_box(self._visitor)


def read_turn(message: Mapping[str, Any] | None, num_pixels: int = 0) -> Turn:
    """The visitor's turn, with its pictures opened. num_pixels: of those before it."""
    values = message if isinstance(message, Mapping) else {}
    files = values.get("files") or ()
    if len(files) > MAX_IMAGES:  # before any of them takes memory
        words = f"There are {len(files)} pictures; one request takes up to {MAX_IMAGES}."
        raise TaskError(words, "E_TOO_MANY_IMAGES")
    images = list(open_pictures(map(resolve_upload, files), num_pixels))
    return Turn("user", values.get("text") or "", tuple(images))


def add_turns(session: ChatSession, turn: Turn, answer: Answer | None) -> list[JSON]:
    """Add both turns to the conversation; a turn that got no word in return is taken back."""
    text = without_marks(without_thoughts(answer.text)) if answer else ""
    if not text:
        return [*session.messages(), *turn_messages(turn), model_message(answer)]
    session.turns += [turn, Turn("model", text)]
    return session.messages()


def without_marks(text: str) -> str:
    """What the model said, so that it can be put before it again: no marks, for those command."""
    return CONTROL_TOKEN.sub("", text).strip()[:MAX_TEXT]


def talk_value(
    state: str,
    messages: Sequence[JSON],
    answer: Answer | None = None,
    *,
    limit: int = 0,
    notes: Sequence[str] = (),
) -> JSON:
    """The value of the conversation's component: its messages, and what stands under them.

    limit: the tokens at which the answer was cut, where it was.
    """
    timing: Mapping[str, Any] = answer.timing if answer else {}
    seconds = sum(timing.get(part, 0.0) for part in ("encode", "prefill", "decode"))
    is_cut = answer is not None and answer.finish == "length"
    return {
        "state": state,
        "messages": list(messages),
        "notes": list(notes),
        "tokens": timing.get("tokens", 0),
        "seconds": round(seconds, 2),
        "cut": limit if is_cut else 0,
    }


def model_message(answer: Answer | None) -> JSON:
    """The model's turn as far as it is spoken."""
    text = without_thoughts(answer.text).strip() if answer else ""
    thought = {"thought": answer.thought} if answer and answer.thought else {}
    return {"role": "assistant", "text": text or "\u2026"} | thought


def turn_messages(turn: Turn) -> Sequence[JSON]:
    """A turn as messages of the page: pictures without metadata, words as words."""
    role = "assistant" if turn.role == "model" else "user"
    pictures = [image for image in turn.images if isinstance(image, Image)]
    files = [{"role": role, "file": file_entry(preview_file(image))} for image in pictures]
    return [*files, {"role": role, "text": turn.text}]
