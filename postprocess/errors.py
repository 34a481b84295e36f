"""Errors: what a person can mend, with a code for programs and a sentence for people."""

from __future__ import annotations

from typing import ClassVar


class UserError(ValueError):
    """Something that whoever called can mend.

    `str(error)` is one sentence: what came, what is wanted, what to do. `code` is stable, for
    programs: that of the class, unless a more exact one is given.
    """

    CODE: ClassVar[str] = "E_USER"

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code or self.CODE
