"""Live switch: whether a visitor's camera may be looked at picture by picture.

Each frame is a call of the model: where calls are paid for one by one, nobody is offered that.
"""

from __future__ import annotations

import os

from postprocess.errors import UserError

VARIABLE = "GEMMA_VISION_LIVE"  # on or off
PAID_BY_CALL = "SPACES_ZERO_GPU"  # set where every call is charged to the visitor


class LiveSwitchError(UserError):
    """A switch that is neither on nor off."""

    CODE = "E_LIVE"


def is_live() -> bool:
    """Whether it may, by the environment; raises LiveSwitchError for what is neither on nor off."""
    given = os.environ.get(VARIABLE, "").strip().lower()
    if given not in ("", "on", "off"):
        raise LiveSwitchError(f"{VARIABLE} is {given!r}; it has to be on or off.")
    return given == "on" if given else not os.environ.get(PAID_BY_CALL)
