"""Frame call: what is sent of a camera: what is asked, on a line of JSON, and the picture.

A program says its options by name. The page sends its form as it stands, fields that are hidden and
keep a value from before among them, and so in an object of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from gemma_vision.requests.family import Family
from gemma_vision.requests.option_checks import read_options
from gemma_vision.requests.options import OPTIONS
from gemma_vision.requests.tasks import TASKS
from gemma_vision.web.forms.form_values import FormValues
from gemma_vision.web.forms.options import LEAVE_OUT, PROMPTS, read_option_fields
from postprocess.errors import UserError

MAX_BODY = 2 * 2**20  # bytes of a call; a frame of 1024 pixels has about 200,000
MAX_HEAD = 64 * 2**10  # bytes of its first line
PAGE = re.compile(r"[0-9a-f]{8,32}")
FORM = "form"  # of a page: the values of its fields
KNOWN = {"task", "words", *OPTIONS}
FIELDS = {PROMPTS, LEAVE_OUT, *OPTIONS}  # what the form of a camera holds beside task and words
WHERE = "send a line of JSON and, behind it, the picture's bytes"


class FrameError(UserError):
    """A call that is none; the message is one sentence, without what was sent."""

    CODE = "E_ARGUMENTS"


@dataclass(frozen=True)
class FrameCall:
    """One frame: the page it comes from, what is asked, the picture as a file's bytes.

    is_form: the options are the values of a form's fields.
    """

    page: str
    asked: FormValues = field(repr=False)
    picture: bytes = field(repr=False)
    is_form: bool = False

    def options(self, family: Family) -> dict[str, Any]:
        """The options of a request. TaskError for one that the task does not have, or no value."""
        read = partial(read_option_fields, family) if self.is_form else read_options
        return read(self.asked.task, self.asked.options)


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
    fields = values.pop(FORM, None)
    check_names(values, KNOWN if fields is None else {"task", "words"})
    check_words(values)
    if fields is not None:
        check_names(check_form(fields), FIELDS)
    asked = FormValues(None, values["task"], values.get("words"), fields or options_in(values))
    return FrameCall(page, asked, picture, is_form=fields is not None)


def read_head(head: bytes) -> dict[str, Any]:
    """The first line as an object."""
    try:
        values = json.loads(head)
    except (ValueError, RecursionError):
        raise FrameError(f"The call's first line is no JSON; {WHERE}.") from None
    if not isinstance(values, dict):
        raise FrameError(f"The call's first line is no JSON object; {WHERE}.")
    return values


def options_in(values: Mapping[str, Any]) -> dict[str, Any]:
    """What of a line is an option."""
    return {name: value for name, value in values.items() if name in OPTIONS}


def check_form(fields: Any) -> dict[str, Any]:
    """The fields of a form; FrameError where they are no object."""
    if not isinstance(fields, dict):
        raise FrameError("form has to be an object: the values of a page's fields, by name.")
    return fields


def check_names(values: Mapping[str, Any], known: Set[str]) -> None:
    """Refuse what is neither asked for nor an option: whoever sent it would wait for its effect."""
    if values.keys() - known:
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
