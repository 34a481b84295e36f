"""Frame call: what a page sends of a camera: what is asked, on a line of JSON, and the picture."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gemma_vision.requests.options import OPTIONS
from gemma_vision.requests.tasks import TASKS
from gemma_vision.web.forms.form_values import FormValues, read_form
from gemma_vision.web.forms.options import LEAVE_OUT, PROMPTS
from postprocess.errors import UserError

MAX_BODY = 2 * 2**20  # bytes of a call; a frame of 1024 pixels has about 200,000
MAX_HEAD = 64 * 2**10  # bytes of its first line
PAGE = re.compile(r"[0-9a-f]{8,32}")
KNOWN = {"task", "words", PROMPTS, LEAVE_OUT, *OPTIONS}  # what the form of a camera holds
WHERE = "send a line of JSON and, behind it, the picture's bytes"


class FrameError(UserError):
    """A call that is none; the message is one sentence, without what was sent."""

    CODE = "E_ARGUMENTS"


@dataclass(frozen=True)
class FrameCall:
    """One frame: the page it comes from, the values of its form, the picture as a file's bytes."""

    page: str
    form: FormValues = field(repr=False)
    picture: bytes = field(repr=False)


def read_frame(body: bytes) -> FrameCall:
    """A body as a call; FrameError for whatever is none."""
    head, newline, picture = body.partition(b"\n")
    if not newline or len(head) > MAX_HEAD:
        raise FrameError(f"The call has no first line of JSON; {WHERE}.")
    if not picture:
        raise FrameError("There is no picture behind the line of JSON; send one.", "E_NO_IMAGE")
    values = read_head(head)
    page = values.pop("page", None)
    if not isinstance(page, str) or not PAGE.fullmatch(page):
        raise FrameError("page has to be a mark of 8 to 32 digits, 0 to 9 and a to f.")
    check_names(values)
    check_words(values)
    return FrameCall(page, read_form(FormValues, values), picture)


def read_head(head: bytes) -> dict[str, Any]:
    """The first line as an object."""
    try:
        values = json.loads(head)
    except (ValueError, RecursionError):
        raise FrameError(f"The call's first line is no JSON; {WHERE}.") from None
    if not isinstance(values, dict):
        raise FrameError(f"The call's first line is no JSON object; {WHERE}.")
    return values


def check_names(values: Mapping[str, Any]) -> None:
    """Refuse what is neither asked for nor an option: whoever sent it would wait for its effect."""
    if values.keys() - KNOWN:
        message = "The call's first line names what is no page, task, word or option; leave it out."
        raise FrameError(message)


def check_words(values: Mapping[str, Any]) -> None:
    """Refuse what no form holds. A camera is asked for things alone, which are drawn on it."""
    words = values.get("words")
    if words is not None and not isinstance(words, str):
        raise FrameError("words has to be a string: the names of what to find.", "E_TEXT")
    task = values.get("task")
    naming = [name for name, spec in TASKS.items() if spec.names_things]
    if not isinstance(task, str) or task not in naming:
        message = f"A camera is asked for things: task has to be one of {', '.join(naming)}."
        raise FrameError(message, "E_TASK_UNSUPPORTED")
