"""Address: where the app listens.

To be imported before gradio, which reads the variable at once and trips on what is no number.
"""

from __future__ import annotations

import os

from postprocess.errors import UserError

HOST, PORT = "GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT"
LAST_PORT = 65_535


class AddressError(UserError):
    """An address that cannot be listened on; the message is one sentence."""

    CODE = "E_ADDRESS"


def take_port() -> str | None:
    """What the environment says; what is no number is taken out, and `port_of` complains later."""
    configured = os.environ.get(PORT)
    if configured is not None and not configured.isdecimal():
        del os.environ[PORT]
    return configured


CONFIGURED_PORT = take_port()


def port_of(option: int | None, configured: str | None = CONFIGURED_PORT) -> int | None:
    """The port to listen on and on no other: an option's, else the environment's; None is any."""
    named, given = ("--port", option) if option is not None else (PORT, configured)
    if given is None or given == "":
        return None
    if not str(given).isdecimal() or not 1 <= int(given) <= LAST_PORT:
        raise AddressError(f"{named} is {given}; it has to be a number from 1 to {LAST_PORT}.")
    return int(given)
