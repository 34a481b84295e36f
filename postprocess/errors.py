"""Errors: what a person can mend, with a code for programs and a sentence for people."""

from __future__ import annotations

import re
from typing import ClassVar

HEAD, TAIL = 650, 250  # characters of a long sentence that are said: what came, and what to do
BREAKS = re.compile(r"\s*[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]\s*")
CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x1f\x7f-\x9f]")


class UserError(ValueError):
    """Something that whoever called can mend.

    `str(error)` is one sentence: what came, what is wanted, what to do. `code` is stable, for
    programs: that of the class, unless a more exact one is given. A sentence that quotes what is
    far too long (a name of a thousand characters, of somebody else's file) is said without its
    middle, and one that quotes breaks of lines or what moves a terminal's cursor without those.
    """

    CODE: ClassVar[str] = "E_USER"

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(as_sentence(message))
        self.code = code or self.CODE


def as_sentence(message: str) -> str:
    """What is said, on one line and not too long, whatever it quotes."""
    if len(message) > HEAD + TAIL:
        message = f"{message[:HEAD]}...{message[-TAIL:]}"
    return CONTROLS.sub("\ufffd", BREAKS.sub(" ", message))
