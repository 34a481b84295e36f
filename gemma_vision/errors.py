"""Errors: what every error is told as, a code for programs and a sentence for people.

The page, the endpoints, the MCP tools and the command line all describe an error here.
"""

from __future__ import annotations

import errno
import logging
import traceback
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from pathlib import Path

from postprocess.errors import UserError

log = logging.getLogger("gemma_vision")
request_id: ContextVar[str] = ContextVar("request_id", default="")  # whose number both sides see

INTERNAL = "Something went wrong on our side; it was noted. Try again, or try another picture."
NOTED = INTERNAL.replace("noted", "noted as {number}")  # where a request of the app asked
PLACES = 6  # of an error that are logged, the innermost ones
TO_DO: Mapping[int | None, str] = {  # what a person does about an error of the system's
    errno.EACCES: "Take a place that you may read and write, or change who may.",
    errno.EEXIST: "Something else is there; take another name.",
    errno.EISDIR: "Name a file in it.",
    errno.ELOOP: "Links lead to one another there; name the file itself.",
    errno.ENAMETOOLONG: "Take a shorter name.",
    errno.ENOENT: "Check its name, and that its folder is there.",
    errno.ENOSPC: "Free some space, or take another place.",
    errno.ENOTDIR: "A part of it is a file; name a folder.",
    errno.EPERM: "Take a place that you may read and write, or change who may.",
    errno.EROFS: "Take another place.",
}
NAMED = 5  # names in a sentence; the rest is counted


class CheckpointError(UserError):
    """A checkpoint that cannot be used."""

    CODE = "E_CHECKPOINT"


def describe(error: Exception, *, names_files: bool = False) -> tuple[str, str]:
    """The code and the sentence, on one line.

    names_files: the system's own errors about files are told too, with the file's name: for the
    command line, never for visitors. An error that is not a person's mistake is logged by its kind
    and place alone, for messages can quote what somebody wrote.
    """
    if isinstance(error, UserError):
        return error.code, " ".join(str(error).split())
    if names_files and isinstance(error, OSError):
        return "E_FILE", describe_file_error(error)
    number = request_id.get()
    if not number:
        log.error("%s", place_of(error))
        return "E_INTERNAL", INTERNAL
    log.error("request %s: %s", number, place_of(error))
    return "E_INTERNAL", NOTED.format(number=number)


def place_of(error: BaseException) -> str:
    """The kind of an error and where it came from, on one line, with nothing that anybody sent.

    KeyError at saving.py:41 in write < batch_run.py:187 in run_batch
    """
    frames = traceback.extract_tb(error.__traceback__)[-PLACES:]
    places = [f"{Path(one.filename).name}:{one.lineno} in {one.name}" for one in reversed(frames)]
    return f"{type(error).__name__} at {' < '.join(places) or 'no place'}"


def is_explained(error: Exception) -> bool:
    """Whether an error was written for a person: our own, and the system's about files."""
    return isinstance(error, (UserError, OSError))


def describe_file_error(error: OSError) -> str:
    """[Errno 28] No space left on device: 'a.png'  ->  a.png: No space left on device. Free ..."""
    if not error.strerror:
        return " ".join(str(error).split())
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror}. {TO_DO.get(error.errno, '')}".rstrip()


def list_names(names: Iterable[str]) -> str:
    """a, b, c, d, e and 3 more   (sorted)"""
    known = sorted(names)
    more = len(known) - NAMED
    return ", ".join(known[:NAMED]) + (f" and {more} more" if more > 0 else "")
