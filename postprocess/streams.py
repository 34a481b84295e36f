"""Streams: lines on standard output, sentences on standard error, whatever these are.

They may be closed, full, read no further, or have no letters for what is told.
"""

from __future__ import annotations

import os
import sys
from typing import TextIO

from postprocess.errors import UserError


class OutputError(UserError):
    """Answers that cannot be written; the message says why."""

    CODE = "E_OUTPUT"


class ReaderGoneError(UserError):
    """Whoever read standard output has seen enough, as `head` does: nothing that went wrong."""

    CODE = "E_OUTPUT"


def open_streams() -> None:
    """Give a program whose standard error was closed one that takes everything, and check the rest.

    Raises OutputError where there is no standard output.
    """
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - to the end
    if sys.stdout is None:
        raise OutputError(
            "Standard output is closed, and the answers go there; send it to a file, or to "
            f"{os.devnull} where nobody wants them."
        )


def print_line(text: str) -> None:
    """Text on standard output, at once, escaped where that cannot take it.

    ReaderGoneError where nobody reads it any more, OutputError where it cannot be written.
    """
    try:
        print(encodable(text, sys.stdout), flush=True)
    except BrokenPipeError:
        discard(sys.stdout)
        raise ReaderGoneError("Nobody reads standard output any more.") from None
    except OSError as error:
        discard(sys.stdout)
        raise OutputError(
            f"The answers cannot be written to standard output ({error.strerror}); send them to a "
            "file that has room and give the command again."
        ) from error


def print_message(message: str, *, end: str = "\n") -> None:
    """A line on standard error, escaped where that cannot take it.

    Work goes on where nobody reads it, or where it cannot be written.
    """
    if sys.stderr is None:  # of a program that was started without
        return
    try:
        print(encodable(message, sys.stderr), end=end, file=sys.stderr, flush=True)
    except OSError:
        discard(sys.stderr)


def encodable(text: str, stream: TextIO) -> str:
    """Text with what a stream has no letters for escaped."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def discard(stream: TextIO) -> None:
    """Let go of all that is still written there, what waits in it included."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def is_terminal() -> bool:
    """Whether somebody watches standard error, where lines can be rewritten."""
    return sys.stderr is not None and sys.stderr.isatty()
