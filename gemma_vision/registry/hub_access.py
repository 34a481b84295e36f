"""Hub access: the token that the Hub is asked with while this process lives, and where it is from.

A token that somebody gave stays in memory: it is written nowhere, and gone with the process.
"""

from __future__ import annotations

from gemma_vision.checkpoints.access_token import GIVEN, AccessToken, machine_source


class HubAccess:
    """What was given goes before what the machine has (HF_TOKEN, `hf auth login`)."""

    def __init__(self) -> None:
        self._given: AccessToken | None = None

    @property
    def token(self) -> AccessToken | None:
        """What was given; None leaves it to the machine's own."""
        return self._given

    @property
    def source(self) -> str:
        """Where the token is from: "given", "environment", "login", or "none" at all."""
        return GIVEN if self._given is not None else machine_source()

    def give(self, text: object) -> None:
        """Take a pasted token; raises TokenError, and then the former one stays."""
        self._given = AccessToken.parse(text)

    def forget(self) -> None:
        """Let go of what was given."""
        self._given = None
