"""Switch outcome: how the choice of another checkpoint ended, in words for whoever waits."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from gemma_vision.errors import place_of
from postprocess.errors import UserError

log = logging.getLogger("gemma_vision.registry.switch_outcome")


@dataclass(frozen=True)
class SwitchOutcome:
    """How the last choice ended: "loaded", "cancelled" or "failed", and then why.

    `number` counts the choices that have ended, so that one is not taken for another. `code` is
    that of the error, "" where nothing failed.
    """

    id: str
    result: str
    why: str = ""
    number: int = 0
    code: str = ""


def failed(name: str, error: Exception) -> SwitchOutcome:
    """The outcome of a choice that an error ended."""
    code, why = describe_failure(name, error)
    return SwitchOutcome(name, "failed", why, code=code)


def describe_failure(name: str, error: Exception) -> tuple[str, str]:
    """A code, and why a checkpoint was not loaded; what is nobody's mistake is logged."""
    if isinstance(error, UserError):
        return error.code, str(error)
    if isinstance(error, MemoryError) or "memory" in str(error).lower():
        return "E_MEMORY", f"There is not enough memory for {name}. Take a smaller checkpoint."
    log.error("%s", place_of(error))
    return (
        "E_CHECKPOINT",
        f"{name} cannot be read as a checkpoint. Fetch it again, or take another.",
    )
