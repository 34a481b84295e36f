"""Access token: what the Hub is asked with for gated and private models, and where it comes from.

A token is a secret. No text of an `AccessToken` shows it, and it is neither copied nor pickled.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import NoReturn

from postprocess.errors import UserError

FORM = re.compile(r"[A-Za-z0-9_.-]{8,400}")  # what an Authorization header takes; the Hub's: hf_...
VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")  # in which the Hub's client looks
GIVEN, ENVIRONMENT, LOGIN, NONE = "given", "environment", "login", "none"


class TokenError(UserError):
    """A text that cannot be a token; the message never quotes it."""

    CODE = "E_TOKEN"


@dataclass(frozen=True, repr=False)
class AccessToken:
    """A token of the Hub. `secret` goes into requests to the Hub and nowhere else."""

    secret: str = field(repr=False)

    @classmethod
    def parse(cls, text: object) -> AccessToken:
        """The token that somebody pasted, blanks around it ignored; raises TokenError."""
        pasted = text.strip() if isinstance(text, str) else ""
        if not FORM.fullmatch(pasted):
            raise TokenError(
                "That is no token of the Hub: one is a single word that begins with hf_. Copy it "
                "anew from huggingface.co/settings/tokens."
            )
        return cls(pasted)

    def __repr__(self) -> str:
        return "AccessToken(hidden)"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token stays in the memory of its process")


def machine_source() -> str:
    """Where the Hub's client finds a token by itself: "environment", "login" or "none"."""
    from huggingface_hub import constants, get_token

    if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN or not get_token():
        return NONE
    return ENVIRONMENT if any(os.environ.get(name, "").strip() for name in VARIABLES) else LOGIN
