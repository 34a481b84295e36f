"""Explaining: which errors were written for a person, and what they say on one line."""

from __future__ import annotations


def is_explained(error: Exception) -> bool:
    """Whether the message was written for a person: our own errors and the system's about files."""
    return isinstance(error, OSError) or is_ours(type(error))


def is_ours(kind: type) -> bool:
    """Whether an error's class belongs to one of our packages."""
    return kind.__module__.split(".")[0] in ("gemma_vision", "postprocess")


def sentence(error: Exception) -> str:
    """The error in words, on one line."""
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}."
    return " ".join(str(error).split())
