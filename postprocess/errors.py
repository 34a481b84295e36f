"""Errors: what a person can mend, with a code for programs and a sentence for people."""

from __future__ import annotations

from typing import ClassVar

HEAD, TAIL = 650, 250  # characters of a long sentence that are said: what came, and what to do


class UserError(ValueError):
    """Something that whoever called can mend.

    `str(error)` is one sentence: what came, what is wanted, what to do. `code` is stable, for
    programs: that of the class, unless a more exact one is given. A sentence that quotes what is
    far too long (a name of a thousand characters, of somebody else's file) is said without its
    middle.
    """

    CODE: ClassVar[str] = "E_USER"

    def __init__(self, message: str, code: str | None = None) -> None:
        if len(message) > HEAD + TAIL:
            message = f"{message[:HEAD]}...{message[-TAIL:]}"
        super().__init__(message)
        self.code = code or self.CODE
