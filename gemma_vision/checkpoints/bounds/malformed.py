"""Malformed: what a folder holds that nobody foresaw is a CheckpointError all the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gemma_vision.errors import CheckpointError
from postprocess.errors import UserError

# What values of another kind than is wanted end in: None for a number, a text for a list.
UNFORESEEN = (
    *(ArithmeticError, AttributeError, LookupError, RecursionError),
    *(TypeError, ValueError),
)


@contextmanager
def as_checkpoint_error(what: str) -> Iterator[None]:
    """Raise CheckpointError for an error that only a malformed folder can cause.

    what: the file, or the folder, for the sentence.
    """
    try:
        yield
    except UserError:
        raise
    except UNFORESEEN as error:
        kind = type(error).__name__
        message = f"{what} has a value of another kind than is wanted ({kind}). Fetch it again."
        raise CheckpointError(message) from error
