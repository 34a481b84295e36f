"""Paste run: an answer that was written elsewhere, read for a visitor."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from gemma_vision.answers.parse_answer import read_json
from gemma_vision.checkpoints.mask_decoder_files import NAMES, DecoderError
from gemma_vision.requests.tasks import PARSE
from gemma_vision.requests.validation import TaskError
from gemma_vision.web.forms.answer_panel import cleared_panel, panel_values
from gemma_vision.web.jobs.asked import Asked
from gemma_vision.web.jobs.events import NamedUpdates
from gemma_vision.web.jobs.viewer_value import JSON, ViewerState
from gemma_vision.web.jobs.visitor_answers import UNNAMED, VisitorAnswer, picture_name
from gemma_vision.web.server.picture_worker import open_picture
from gemma_vision.web.server.uploads import resolve_upload
from postprocess.tokens import CODES_PER_MASK

MAX_TEXT = 200_000  # characters of an answer that is pasted
MAX_MASKS = 128  # in it
CROWDED = "E_TOO_MANY_MASKS"
CODE = re.compile(r"seg\d{3}", re.IGNORECASE)  # of a mask's codes, however its marks are written
DRAWN = re.compile(r"[\"']mask[\"']\s*:")  # a mask that an answer in JSON draws itself


@dataclass(frozen=True)
class PasteValues:
    """What the form holds, as the client sent it: the size is that of a picture not uploaded."""

    text: Any = ""
    upload: Any = None
    width: Any = None
    height: Any = None
    decoder: Any = "none"


class PasteJob:
    """One pasted answer. Updates "viewer", "drawer", "json" and "take_home"; no model is at work.

    store: takes the result, and None where there is none.
    """

    def __init__(
        self, form: PasteValues, store: Callable[[VisitorAnswer | None], None] = lambda result: None
    ) -> None:
        self._form = form
        self._store = store
        self._viewer = ViewerState(asked=Asked(PARSE, model=""))

    def begin(self) -> NamedUpdates:
        """Open the picture, where there is one."""
        if self._form.upload:
            self._viewer.original = resolve_upload(self._form.upload)
            self._viewer.image = open_picture(self._viewer.original)
        return {}

    def stream(self) -> Iterator[JSON]:
        """The answer, which is there at once."""
        size = (self._form.width, self._form.height)
        answer = parse_for_visitor(self._form.text, self._viewer.size or size, self._form.decoder)
        self._viewer.blank = size
        yield answer

    def updates(self, answer: JSON | None) -> NamedUpdates:
        """Nothing until it is read."""
        return {}

    def finished(self, answer: JSON | None, is_whole: bool) -> NamedUpdates:
        """The viewer and the JSON in its drawer."""
        view = self._viewer.view(answer, "done" if is_whole else "stopped")
        result = None if answer is None else self._result(answer)
        self._store(result)
        return panel_values(view, result)

    def failed(self, sentence: str, answer: JSON | None) -> NamedUpdates:
        """The sentence beside the picture, where there is one."""
        view = self._viewer.view(None, "error", notes=[sentence])
        self._store(None)
        return cleared_panel() | {"viewer": view}

    def _result(self, answer: JSON) -> VisitorAnswer:
        path = self._viewer.original
        name = UNNAMED if path is None else picture_name(self._form.upload, path)
        width, height = answer["image"]["width"], answer["image"]["height"]
        options = {"width": width, "height": height, "mask_decoder": self._form.decoder}
        return VisitorAnswer(answer, path, name, task=PARSE, text=self._form.text, options=options)


def check_length(text: str) -> None:
    """Refuse an answer that would keep the app at work: no model writes one as long."""
    if len(text) > MAX_TEXT:
        message = f"The answer has {len(text)} characters; the limit is {MAX_TEXT}. Paste a part."
        raise TaskError(message, "E_TEXT_TOO_LONG")
    count = max(len(CODE.findall(text)) // CODES_PER_MASK, len(DRAWN.findall(text)))
    if count > MAX_MASKS:
        message = f"The answer has {count} masks; the limit over the network is {MAX_MASKS}."
        raise TaskError(f"{message} Paste a part, or parse it on your own machine.", CROWDED)


def parse_for_visitor(
    text: str, size: tuple[int, int], mask_decoder: str, **options: Any
) -> dict[str, Any]:
    """The JSON of a pasted answer; options are those of `read_json`.

    A visitor may name a decoder and never a file of the server.
    """
    if mask_decoder not in NAMES:
        known = ", ".join(NAMES)
        message = f"There is no such mask decoder; over the network take one of {known}."
        raise DecoderError(message)
    if not isinstance(text, str):
        raise TaskError(f"The answer is a {type(text).__name__}; give a string.", "E_TEXT")
    check_length(text)
    return read_json(text, size, mask_decoder=mask_decoder, **options)
